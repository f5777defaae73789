/** Runs before the first paint, so that a chosen theme never flashes the other one. */

try {
  const choice = localStorage.getItem("alicia.theme");
  if (choice === "light" || choice === "dark") {
    document.documentElement.setAttribute("data-theme", choice);
  }
} catch {
  // Storage is refused: the system's theme it is.
}
