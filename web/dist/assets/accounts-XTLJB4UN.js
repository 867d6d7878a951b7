import{a,b,c,d}from"./chunk-TGVMBFUH.js";import"./chunk-W5FE6GEJ.js";import"./chunk-RVPXRA34.js";export{b as WITHHELD,a as contactText,c as contactsText,d as show};
