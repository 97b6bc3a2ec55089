// The calendar: a post is moved to another day by dragging it, or by Shift and the arrow keys. Its page can do it too.

const toast = (text, tone) => document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone } }));
const plan = document.getElementById("plan");
const said = document.getElementById("plan-said");
let dragged = null;

/** Ask for a post on another day, then draw the plan anew; the moved post has the focus again. */
async function move(post, day) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(post.dataset.move, {
    method: "POST",
    headers: { "X-CSRFToken": token, "X-Drag": "1", "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ day }),
  }).catch(() => null);
  if (!answer?.ok) return toast("The post stays where it was: that day is over, or the post is on its way.", "bad");
  const page = await fetch(location.href, { headers: { "HX-Request": "true" } });
  plan.innerHTML = await page.text();
  window.htmx?.process(plan);
  const moved = plan.querySelector(`[data-post="${post.dataset.post}"]`);
  moved?.focus();
  said.textContent = `Moved to ${new Date(`${day}T12:00`).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" })}.`;
}

const cell = (event) => event.target.closest?.("td[data-day]");
plan.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("[data-post]");
  if (!dragged) return;
  dragged.dataset.dragged = "1";
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.post);
});
plan.addEventListener("dragend", () => {
  delete dragged?.dataset.dragged;
  dragged = null;
  for (const over of plan.querySelectorAll("[data-over]")) delete over.dataset.over;
});
plan.addEventListener("dragover", (event) => {
  const over = dragged && cell(event);
  if (!over) return;
  event.preventDefault();
  for (const other of plan.querySelectorAll("[data-over]")) if (other !== over) delete other.dataset.over;
  over.dataset.over = "1";
});
plan.addEventListener("drop", (event) => {
  const over = dragged && cell(event);
  if (!over) return;
  event.preventDefault();
  if (!over.contains(dragged)) move(dragged, over.dataset.day);
});

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
plan.addEventListener("keydown", (event) => {
  const post = event.target.closest("[data-post]");
  const from = post?.closest("td[data-day]");
  if (!from || !event.shiftKey || !(event.key in STEPS)) return;
  event.preventDefault();
  const day = new Date(`${from.dataset.day}T12:00Z`);
  day.setUTCDate(day.getUTCDate() + STEPS[event.key]);
  move(post, day.toISOString().slice(0, 10));
});
