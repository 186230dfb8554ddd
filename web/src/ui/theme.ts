//! Dark for the night, light for the day: as the system says, until a person turns it.

const KEPT_AS = "bandeau.theme";

/** Shows the page as it was turned last at this browser. */
export function showTheme(): void {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    if (kept === "dark" || kept === "light") document.documentElement.dataset["theme"] = kept;
  } catch {
    // As the system says.
  }
}

/** The other one, from here on. */
export function turnTheme(): void {
  const root = document.documentElement;
  const isDark = root.dataset["theme"] ? root.dataset["theme"] === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset["theme"] = isDark ? "light" : "dark";
  try {
    localStorage.setItem(KEPT_AS, root.dataset["theme"]);
  } catch {
    // For this page only, then.
  }
}
