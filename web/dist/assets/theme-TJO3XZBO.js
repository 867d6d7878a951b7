(()=>{(()=>{try{let t=localStorage.getItem("lintel-theme");(t==="light"||t==="dark")&&(document.documentElement.dataset.theme=t)}catch{}})();})();
