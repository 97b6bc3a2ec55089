// Deeds over the page they were asked for on: a row's deeds, their form, and what is told once, in one dialog. Each is
// part of a page of its own (`data-dialog`), to which the same link leads without this script.
(() => {
  const ASKED = { headers: { "X-Room-Dialog": "1" } };
  let dialog;

  function show(part) {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "room-dialog";
      document.body.append(dialog);
    }
    const title = part.dataset.dialog;
    const sheet = document.createElement("div");
    sheet.className = "room-sheet";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "room-more";
    close.dataset.close = "";
    close.setAttribute("aria-label", "Close");
    close.textContent = "✕";
    const head = document.createElement("h2");
    head.textContent = title;
    sheet.append(close, head, part);
    dialog.setAttribute("aria-label", title);
    dialog.replaceChildren(sheet);
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[autofocus], form input:not([type=hidden]), form select, [role=group] a")?.focus();
  }

  function leave(to) {
    const row = new URL(to, location.href).pathname;
    if (document.getElementById("result_list") && row.endsWith("/change/")) location.reload();
    else location.assign(to);
  }

  async function take(answer, link) {
    if (answer.headers.has("X-Room-Go")) return leave(answer.headers.get("X-Room-Go"));
    const page = answer.redirected ? null : new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page?.querySelector("[data-dialog]");
    return part ? show(part) : location.assign(link);
  }

  const open = async (link) => take(await fetch(link, ASKED), link);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-deeds], [data-dialog][role=group] a");
    const plain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);
    if (dialog?.open && (event.target === dialog || event.target.closest(".room-dialog [data-close]"))) {
      event.preventDefault();
      dialog.close();
    } else if (link && plain) {
      event.preventDefault();
      open(link.href);
    }
  });

  document.addEventListener("submit", async (event) => {
    if (!event.target.closest(".room-dialog")) return;
    event.preventDefault();
    const form = event.target;
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    const to = form.getAttribute("action");
    await take(await fetch(to, { method: "POST", body: new FormData(form), ...ASKED }), to);
  });
})();
