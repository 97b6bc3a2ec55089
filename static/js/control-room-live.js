// Live events for staff: {seq, name, data, at}. Each becomes a DOM event `live:<name>` on document; news of people and
// of errors is shown as a toast. After a break we ask for what was missed since the moment the server told us last.
(() => {
  const WORDS = {
    user_registered: (data) => [`${data.who} has registered`, `/admin/accounts/user/${data.user}/change/`],
    alert: (data) => [data.text, data.error_code ? `/help/errors/${data.error_code}/` : ""],
  };
  const ENDED = [4401, 4429];
  const FRESH = 600000; // milliseconds: what a page left so long ago has missed is no news
  // Handed from page to page, so that nothing is missed or told twice in between.
  const former = JSON.parse(sessionStorage.getItem("room-heard") || "null");
  const handed = former && Date.now() - former.at < FRESH ? former : { since: null, known: [] };
  const known = new Set(handed.known);
  let since = handed.since;
  let pause = 500;

  function toast(text, href) {
    let box = document.getElementById("room-toasts");
    if (!box) {
      box = document.createElement("div");
      box.id = "room-toasts";
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    const line = document.createElement(href ? "a" : "p");
    line.className = "room-toast";
    line.textContent = text;
    if (href) line.href = href;
    box.append(line);
    setTimeout(() => line.remove(), 12000);
  }

  // Rows on the screen: the server says which of them look otherwise now; we fetch this page again and put them in place.
  let watched = null;
  let links = new Map();
  let marks = {};
  const wanted = () => (watched ? { watch: { table: watched.table, rows: marks } } : {});
  const rowOf = (page, link) =>
    [...page.querySelectorAll("#result_list a[href]")]
      .find((one) => one.getAttribute("href").split("?")[0] === link)
      ?.closest("tr");
  let fetching = null;

  async function look() {
    const answer = await fetch(location.href, { headers: { "X-Room-Look": "1" } });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  async function refresh(changed) {
    while (fetching) await fetching;
    fetching = look().catch(() => null);
    const page = await fetching;
    fetching = null;
    if (!page) return; // the marks are as they were: asked again within a minute, the server tells of these rows again
    for (const [key, mark] of Object.entries(changed)) {
      mark ? (marks[key] = mark) : delete marks[key];
      const mine = links.has(key) && rowOf(document, links.get(key));
      if (!mine || mine.contains(document.activeElement)) continue;
      const now = rowOf(page, links.get(key));
      if (!now) {
        mine.classList.add("room-gone");
        continue;
      }
      const ticked = mine.querySelector(".action-select")?.checked;
      mine.replaceChildren(...now.childNodes);
      if (ticked) mine.querySelector(".action-select").checked = true;
      mine.classList.remove("room-changed");
      requestAnimationFrame(() => mine.classList.add("room-changed"));
    }
  }

  // Parts that a page says may be drawn anew: the dashboard's figures and feed, the progress of a job.
  async function redraw() {
    const page = document.visibilityState === "visible" ? await look() : null;
    for (const part of page?.querySelectorAll("[data-live-part]") || []) {
      const mine = document.getElementById(part.id);
      if (mine && !mine.contains(document.activeElement)) mine.replaceChildren(...part.childNodes);
    }
  }

  function receive(message) {
    if (message.name === "rows") refresh(message.data.rows);
    if (typeof message.since === "number") since = message.since;
    if (message.name && !known.has(message.seq)) tell(message);
    const heard = { at: Date.now(), since, known: [...known].filter(Boolean).slice(-100) };
    sessionStorage.setItem("room-heard", JSON.stringify(heard));
  }

  function tell(message) {
    known.add(message.seq);
    document.dispatchEvent(new CustomEvent(`live:${message.name}`, { detail: message }));
    if (WORDS[message.name]) toast(...WORDS[message.name](message.data));
  }

  function connect() {
    const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws/admin/`);
    const ask = () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ since, ...wanted() }));
    const asking = setInterval(ask, 60000);
    socket.addEventListener("open", () => {
      pause = 500;
      ask();
    });
    socket.addEventListener("message", (event) => {
      const said = JSON.parse(event.data);
      (said.events ?? [said]).forEach(receive);
    });
    socket.addEventListener("close", (event) => {
      clearInterval(asking);
      if (ENDED.includes(event.code)) return;
      setTimeout(connect, pause / 2 + (Math.random() * pause) / 2);
      pause = Math.min(pause * 2, 30000);
    });
  }

  function begin() {
    watched = JSON.parse(document.getElementById("room-watched")?.textContent || "null");
    links = new Map(Object.entries(watched?.rows || {}).map(([link, [key]]) => [key, link]));
    marks = Object.fromEntries(Object.values(watched?.rows || {}));
    const parts = document.querySelector("[data-live-every]");
    if (parts) setInterval(redraw, 1000 * Number(parts.dataset.liveEvery));
    connect();
  }

  if (location.pathname.startsWith("/admin/login") || location.pathname.startsWith("/admin/enrol")) return;
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
