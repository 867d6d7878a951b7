import{a,b,c,d}from"./chunk-XV6TURDS.js";import"./chunk-W3PTSH6Y.js";import"./chunk-YOR67ORO.js";export{b as WITHHELD,a as contactText,c as contactsText,d as show};
