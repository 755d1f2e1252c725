// Before the first paint: dark, unless this browser was told otherwise.
try {
  if (localStorage.getItem("medianest.theme") === "light") document.documentElement.dataset.theme = "light";
} catch {
  // storage is closed to us: dark it is
}
