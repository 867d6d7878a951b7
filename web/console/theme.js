// Before the first paint, so that nobody is dazzled at night: the theme that was chosen here, if one was.
(() => {
  try {
    const theme = localStorage.getItem("lintel-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch { /* no storage: the system's theme */ }
})();
