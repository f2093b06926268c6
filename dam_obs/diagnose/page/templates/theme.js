// Light or dark: what the system says, unless the reader chose otherwise; the choice is remembered.
(function () {
  "use strict";
  const KEY = "dam-obs-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  // A page opened from a file may have no storage: then the choice holds until it is closed.
  function recall() { try { return localStorage.getItem(KEY); } catch (error) { return null; } }
  function remember(theme) { try { localStorage.setItem(KEY, theme); } catch (error) { /* see above */ } }
  function current() { return root.dataset.theme || (system.matches ? "dark" : "light"); }
  function other() { return current() === "dark" ? "light" : "dark"; }

  const chosen = recall();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  document.addEventListener("DOMContentLoaded", function () {
    const button = document.getElementById("theme");
    function label() { button.textContent = other() === "dark" ? "Dark" : "Light"; }
    button.hidden = false;
    button.addEventListener("click", function () {
      root.dataset.theme = other();
      remember(root.dataset.theme);
      label();
    });
    system.addEventListener("change", label);
    label();
  });
})();
