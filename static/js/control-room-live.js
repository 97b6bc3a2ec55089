// Live events for staff: {seq, name, data, at}. Each becomes a DOM event `live:<name>` on document; news of people and
// of errors is shown as a toast. After a break we ask for what was missed since the moment the server told us last.
(() => {
  const WORDS = {
    user_registered: (data) => [`${data.who} has registered`, `/admin/accounts/user/${data.user}/change/`],
    alert: (data) => [data.text, data.error_code ? `/help/errors/${data.error_code}/` : ""],
  };
  const ENDED = [4401, 4429];
  const known = new Set();
  let since = null;
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

  function receive(message) {
    if (typeof message.since === "number") since = message.since;
    if (!message.name || known.has(message.seq)) return;
    known.add(message.seq);
    document.dispatchEvent(new CustomEvent(`live:${message.name}`, { detail: message }));
    if (WORDS[message.name]) toast(...WORDS[message.name](message.data));
  }

  function connect() {
    const socket = new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}/ws/admin/`);
    const ask = () => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify({ since }));
    const asking = setInterval(ask, 60000);
    socket.addEventListener("open", () => {
      pause = 500;
      ask();
    });
    socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      clearInterval(asking);
      if (ENDED.includes(event.code)) return;
      setTimeout(connect, pause / 2 + (Math.random() * pause) / 2);
      pause = Math.min(pause * 2, 30000);
    });
  }

  if (!location.pathname.startsWith("/admin/login") && !location.pathname.startsWith("/admin/enrol")) connect();
})();
