import{a,b}from"./chunk-VBFPRJO6.js";import"./chunk-S537SGAY.js";import"./chunk-ZHJZW2A3.js";export{a as contactText,b as show};
