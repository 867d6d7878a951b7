import{a,b}from"./chunk-RYT5KFL6.js";import"./chunk-2UCLRDXY.js";import"./chunk-7TVBL7HT.js";export{a as contactText,b as show};
