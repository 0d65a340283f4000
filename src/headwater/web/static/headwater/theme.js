// Sets the theme before the first paint: the reader's own choice, else the system's.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  const apply = () => {
    const chosen = localStorage.getItem("theme");
    root.dataset.bsTheme = chosen ?? (system.matches ? "dark" : "light");
  };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    localStorage.setItem("theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
    apply();
  });
})();
