// The control room's own small script: files are dropped on their field.
document.addEventListener("dragover", (event) => {
  const field = document.querySelector("[data-drop]");
  if (!field) return;
  event.preventDefault();
  field.classList.add("room-over");
});
document.addEventListener("dragleave", () => document.querySelector("[data-drop]")?.classList.remove("room-over"));
document.addEventListener("drop", (event) => {
  const field = document.querySelector("[data-drop]");
  if (!field || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  field.classList.remove("room-over");
  field.files = event.dataTransfer.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
});
// The theme writes a file's name into a field beside it, which ours does not have.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("[data-drop]")) field.hasChangeListener = true;
});
