// What every page can do: dialogs, menus, toasts, copying, the keyboard, times in the reader's zone.
// Each page works without it.

// ── Dialogs: <button data-open="id">, <button data-close>, a click beside it, Esc ──────────────────────────────
document.addEventListener("click", (event) => {
  const open = event.target.closest("[data-open]");
  const opened = open && document.getElementById(open.dataset.open);
  if (opened) {
    event.preventDefault(); // a link leads to the same question on a page of its own, for those without this script
    opened.showModal();
  }
  const dialog = event.target.closest("dialog");
  if (dialog && (event.target.closest("[data-close]") || event.target === dialog)) {
    event.preventDefault(); // "no" is a link on the page of its own
    dialog.close();
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest("[data-open]")) menu.open = false;
  }
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
});

// ── Tabs that do not fit on a phone: the one you are on is in sight ────────────────────────────────────────────
for (const here of document.querySelectorAll(".tabs [aria-current]")) {
  const row = here.closest(".tabs");
  row.scrollLeft = here.getBoundingClientRect().left - row.getBoundingClientRect().left - 24;
}

// ── Toasts: good news fades after 8 s unless someone looks at it; bad news stays until it is dismissed ──────────
const FADE_MS = 8000;
function fade(toast) {
  let timer = setTimeout(() => toast.remove(), FADE_MS);
  const hold = () => clearTimeout(timer);
  const release = () => (timer = setTimeout(() => toast.remove(), FADE_MS));
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, hold);
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, release);
}
document.querySelectorAll("[data-fades]").forEach(fade);

/** Show a sentence: `tone` is ok, warn or bad. Answers to htmx say it with `HX-Trigger: {"toast": {"text": …, "tone": …}}`. */
export function toast(text, tone = "ok") {
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", tone === "ok" ? "status" : "alert");
  box.innerHTML = '<svg class="icon icon-lg" aria-hidden="true"><use/></svg><p class="min-w-0 flex-1 font-medium"></p><button class="btn btn-quiet btn-sm" type="button" data-dismiss>Dismiss</button>';
  box.querySelector("use").setAttribute("href", `${sprite()}#${tone}`);
  box.querySelector("svg").classList.add({ ok: "text-ok", warn: "text-warn", bad: "text-bad" }[tone] ?? "text-faint");
  box.querySelector("p").textContent = text;
  document.getElementById("toasts")?.append(box);
  if (tone === "ok") fade(box);
}
const sprite = () => document.querySelector("svg.icon use")?.getAttribute("href").split("#")[0];
document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
document.addEventListener("htmx:sendError", () => toast("The server did not answer. Nothing was changed; try again.", "bad"));
document.addEventListener("htmx:responseError", (event) => {
  const id = event.detail.xhr.getResponseHeader("X-Correlation-ID");
  toast(`The server refused this (${event.detail.xhr.status}).${id ? ` Correlation id ${id}` : ""}`, "bad");
});
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});

// ── Sending: <button data-busy="Logging in"> says so, and a second click sends nothing ────────────────────────
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.defaultPrevented || !button?.dataset.busy) return;
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
  button.setAttribute("aria-disabled", "true");
  button.textContent = `${button.dataset.busy} …`;
});
// Nor does a second click on any other button, for a moment.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || event.submitter?.dataset.busy) return;
  if (form.hasAttribute("data-sent")) return event.preventDefault();
  form.toggleAttribute("data-sent", true);
  setTimeout(() => form.removeAttribute("data-sent"), 2000);
});
// Coming back with the browser's own button must not find it still busy.
window.addEventListener("pageshow", (event) => {
  if (event.persisted && document.querySelector('[data-busy][aria-disabled="true"]')) location.reload();
});

// ── Copying: <button data-copy="text">, or without text the code block beside the button ───────────────────────
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy || button.parentElement.querySelector("pre").textContent);
    toast("Copied.");
  } catch {
    toast("Your browser did not let us copy. Select the text and copy it by hand.", "warn");
  }
});

// ── Keyboard ────────────────────────────────────────────────────────────────────────────────────────────────────
let afterG = 0;
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
  const jump = performance.now() - afterG < 1500 && document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  afterG = event.key === "g" ? performance.now() : 0;
  if (jump) {
    location.href = jump.href;
  } else if (event.key === "/") {
    const search = document.querySelector('main input[type="search"]');
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key === "?") {
    document.getElementById("keys")?.showModal();
  }
});

// ── Time: `data-ago` keeps counting, `data-when` is told in the reader's zone ──────────────────────────────────
const FORMS = {
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  short: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { weekday: "short", day: "numeric", month: "short" },
};
const told = (moment, form) => new Intl.DateTimeFormat("en-GB", FORMS[form]).format(moment).replace(",", "");

// The words of `age` and `left` in instagrowth/templatetags/look.py.
function age(seconds) {
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  if (seconds < 10) return "just now";
  if (minutes < 1) return `${Math.floor(seconds)} s ago`;
  if (hours < 1) return `${minutes} min ago`;
  if (days < 1) return minutes % 60 ? `${hours} h ${minutes % 60} min ago` : `${hours} h ago`;
  return days === 1 ? "1 day ago" : `${days} days ago`;
}
const left = (seconds) => `in ${seconds < 60 ? `${Math.max(Math.floor(seconds), 1)} s` : age(seconds).replace(" ago", "")}`;

function tell(root = document) {
  for (const time of root.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const words = seconds >= 0 ? age(seconds) : left(-seconds);
    if (time.textContent !== words) time.textContent = words;
    if (!time.dataset.told) {
      const moment = new Date(time.dateTime);
      time.title = `${told(moment, "day")} ${told(moment, "time")}`;
      time.dataset.told = "1";
    }
  }
  for (const time of root.querySelectorAll("time[data-when]:not([data-told])")) {
    const moment = new Date(time.dateTime);
    const form = time.dataset.when;
    time.textContent = form === "full" ? `${told(moment, "day")} ${told(moment, "short")}` : told(moment, form);
    time.title = `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
    time.dataset.told = "1";
  }
}
tell();
setInterval(() => tell(), 15000);
document.addEventListener("htmx:afterSwap", () => tell());

// ── Installable: without it the offline page is missed, and nothing else ───────────────────────────────────────
if ("serviceWorker" in navigator && document.body.dataset.socket) {
  navigator.serviceWorker.register("/sw.js").catch((error) => console.info("No offline page:", error.message));
}
