import{a,b,c,d}from"./chunk-2MGGDV5A.js";import"./chunk-7TVCMQVE.js";import"./chunk-RVPXRA34.js";export{b as WITHHELD,a as contactText,c as contactsText,d as show};
