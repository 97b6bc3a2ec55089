// Loaded in <head> without defer, so that the theme is set before the first paint.
// Dark is the default; a first visitor whose system asks for light gets light; a choice made here is kept.
(() => {
  const root = document.documentElement;
  const read = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be switched off: then the choice lasts as long as the page
    }
  };
  const show = (theme) => {
    root.dataset.theme = theme;
    const bar = document.querySelector('meta[name="theme-color"]');
    if (bar) bar.content = theme === "dark" ? "#0a0e0f" : "#f7fafa";
  };
  const light = matchMedia("(prefers-color-scheme: light)");
  show(read() || (light.matches ? "light" : "dark"));
  root.dataset.js = "";
  light.addEventListener("change", () => read() || show(light.matches ? "light" : "dark"));

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    show(next);
    try {
      localStorage.setItem("theme", next);
    } catch {
      // nothing to keep it in
    }
  });
})();
