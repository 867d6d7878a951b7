import{a,b,c,d}from"./chunk-JWKP2PEY.js";import"./chunk-HOT3C5FJ.js";import"./chunk-56DA7XFF.js";export{b as WITHHELD,a as contactText,c as contactsText,d as show};
