import{a,b}from"./chunk-VRPUDRC6.js";import"./chunk-HOT3C5FJ.js";import"./chunk-56DA7XFF.js";export{a as contactText,b as show};
