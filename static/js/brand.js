// The workspace's brand: the example wears the colour while it is chosen, and a file that is too large is said at once.
const accent = document.querySelector('input[name="accent"]');
const picker = document.querySelector("[data-colour]");
const sheet = document.getElementById("brand-preview");
const file = document.querySelector('input[name="logo"]');
const MOST_BYTES = 1024 * 1024; // accounts/pictures.py
let waiting = 0;

function show() {
  const colour = accent.value.trim().toLowerCase().replace(/^#/, "");
  const known = /^[0-9a-f]{6}$/.test(colour);
  if (known) picker.value = `#${colour}`;
  clearTimeout(waiting); // a picker that is dragged speaks at every step
  waiting = setTimeout(() => {
    if (known) sheet.href = sheet.href.replace(/=.*/, `=${colour}`);
    sheet.disabled = !known;
  }, 120);
}
accent.addEventListener("input", show);
picker.addEventListener("input", () => {
  accent.value = picker.value;
  show();
});
file.addEventListener("change", () => {
  const large = file.files[0]?.size > MOST_BYTES;
  file.setCustomValidity(large ? "The file is larger than 1 MB. Choose a smaller one." : "");
  if (large) file.reportValidity();
});
file.form.addEventListener("submit", (event) => {
  if (file.reportValidity()) return;
  event.preventDefault(); // the form checks nothing by itself: the server says more
});
