// The editor of a post: counts what Instagram counts, shows the words as they will stand, and keeps files in their order.

const caption = document.getElementById("id_caption");
const count = document.querySelector("[data-count-of]");
const copy = document.querySelector("[data-copy-of]");

function tell() {
  const text = caption.value;
  const tags = text.match(/#[\p{L}\p{N}_]+/gu)?.length ?? 0;
  count.textContent = `${[...text].length.toLocaleString("en")} of 2,200 characters, ${tags} of 30 hashtags`;
  count.classList.toggle("text-bad", [...text].length > 2200 || tags > 30);
  if (copy) copy.textContent = text.length > 125 ? `${text.slice(0, 124)}…` : text;
}
if (caption && count) {
  caption.addEventListener("input", tell);
  tell();
}

// What is ticked last comes last of what is ticked; what is unticked goes back behind them.
const picks = document.getElementById("picks");
picks?.addEventListener("change", (event) => {
  const pick = event.target.closest(".pick");
  const last = [...picks.querySelectorAll(".pick:has(:checked)")].filter((one) => one !== pick).pop();
  if (last) last.after(pick);
  else picks.prepend(pick);
  event.target.focus();
});

// Looking for other files of the library: what is ticked stays, the others give way to what was found.
const finder = document.getElementById("finder");
const words = finder?.querySelector("input");
const folder = finder?.querySelector("select");
let asked = "";
async function find() {
  const mine = (asked = `${new URLSearchParams({ pick: "", q: words.value, folder: folder?.value ?? "" })}`);
  await new Promise((typed) => setTimeout(typed, 250));
  if (mine !== asked) return;
  const answer = await fetch(`${finder.dataset.shelf}?${mine}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked || !answer.ok || answer.redirected) return;
  const ticked = [...picks.querySelectorAll(".pick:has(:checked)")];
  const known = new Set(ticked.map((pick) => pick.control.value));
  const found = [...page.body.children].filter((one) => !known.has(one.control?.value));
  picks.replaceChildren(...ticked, ...found);
}
finder?.addEventListener("input", find);
finder?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault(); // it looks by itself, and does not send the post
});
