import{a,b,c,d}from"./chunk-SGOM5OKC.js";import"./chunk-LUGEGOH5.js";import"./chunk-5HSA7NJR.js";export{b as WITHHELD,a as contactText,c as contactsText,d as show};
