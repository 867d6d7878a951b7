import{a,b}from"./chunk-SQJ242DS.js";import"./chunk-EHPIMEHX.js";import"./chunk-KBKPWA7H.js";export{a as contactText,b as show};
