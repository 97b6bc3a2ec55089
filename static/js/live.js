// Live events of the workspace: {seq, name, data, at}, several at once as {events: […]}. Each becomes a DOM event `live:<name>` on document, and every element
// with `data-live="name1 name2"` (or "*"), `hx-get` and `hx-trigger="live"` is fetched anew, a burst only once.
// After a break, and once a minute, we ask for what was missed since the last moment the server told us. Some of that we
// know already, by its number.

const REFRESH_MS = 300;
const LONGEST_PAUSE_MS = 30000;
const CATCH_UP_MS = 60000;
const KNOWN = 3000; // numbers of events we remember: more than a server tells again
// Why the server closed the line for good.
const ENDED = { 4401: "Signed out, reload the page", 4429: "Open in too many tabs, reload the page" };

let since = document.body.dataset.since ? Number(document.body.dataset.since) : null;
let pause = 500;
let pending = null;
let shown = null;
const known = new Set();

function show(state, word) {
  shown = [state, word];
  for (const badge of document.querySelectorAll(".live")) {
    badge.dataset.state = state;
    badge.textContent = word;
  }
}

// A part that was fetched anew brings its badge as the server knows it: say again how the line is.
document.addEventListener("htmx:afterSwap", () => shown && show(...shown));

// Somebody may have begun while it was on its way.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.matches("[data-live]") && event.detail.requestConfig.triggeringEvent?.type === "live" && inHand(event.target)) event.detail.shouldSwap = false;
});

// The elements that listen to one of these names; without names, all of them.
function refresh(names) {
  for (const element of document.querySelectorAll("[data-live]")) {
    const wanted = element.dataset.live.split(" ");
    if (names && !wanted.includes("*") && !wanted.some((name) => names.has(name))) continue;
    if (!inHand(element)) fetchAnew(element);
  }
}

// Whether somebody is at work in an element: it comes with the next event then.
function inHand(element) {
  // Never under the hands of someone who is typing in it, nor what was typed and not sent.
  if (element.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), textarea, select")) return true;
  if ([...element.querySelectorAll("input, textarea, select")].some(changed)) return true;
  // Nor an opened row under the eyes of someone who reads it; what the page brought open is data-opened.
  return element.querySelector("details[open]:not(.menu, [data-opened])") !== null;
}

// Whether a field holds something else than the page that brought it.
function changed(field) {
  if (field.type === "hidden") return false;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
  const drawn = [...field.options].some((option) => option.defaultSelected);
  return drawn && [...field.options].some((option) => option.selected !== option.defaultSelected);
}

// `data-live-pause="3000"`: a costly part is fetched at most so often, in milliseconds, and once more after the last event.
const fetched = new WeakMap();
function fetchAnew(element) {
  const pause = Number(element.dataset.livePause ?? 0);
  const wait = Math.max(0, (fetched.get(element) ?? -Infinity) + pause - performance.now());
  if (wait > pause) return; // the next time is set already
  fetched.set(element, performance.now() + wait);
  setTimeout(() => window.htmx?.trigger(element, "live"), wait);
}

function receive(message) {
  if (typeof message.since === "number") since = message.since;
  if (message.name === "too_much") return refresh();
  if (!message.name || known.has(message.seq)) return;
  known.add(message.seq);
  if (known.size > KNOWN) known.delete(known.values().next().value);
  document.dispatchEvent(new CustomEvent(`live:${message.name}`, { detail: message }));
  if (pending) {
    pending.add(message.name);
    return;
  }
  pending = new Set([message.name]);
  setTimeout(() => {
    const names = pending;
    pending = null;
    refresh(names);
  }, REFRESH_MS);
}

function connect() {
  const url = new URL(document.body.dataset.socket, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    pause = 500;
    show("on", "Live");
    socket.send(JSON.stringify({ since }));
    if (since === null) refresh(); // without a moment we cannot ask what came between the page and the line
  });
  socket.addEventListener("message", (event) => {
    const said = JSON.parse(event.data);
    (said.events ?? [said]).forEach(receive);
  });
  const asking = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ since })), CATCH_UP_MS);
  socket.addEventListener("close", (event) => {
    clearInterval(asking);
    if (ENDED[event.code]) return show("away", ENDED[event.code]);
    show("away", "Reconnecting");
    // Full jitter, so that a restart of the server is not met by every browser at once.
    setTimeout(connect, pause / 2 + (Math.random() * pause) / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  });
}

if (document.body.dataset.socket) connect();
