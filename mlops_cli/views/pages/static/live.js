"use strict";
/* Pages that keep up with what they show, without a reload.

<main data-poll="MS"> has its own page asked for again every MS milliseconds, by the tag of the one that is shown: where
nothing is new, nothing is sent. A part with the attribute data-live and an id is replaced where the server says it
otherwise than before; one with data-live="rows" keeps its table, which gets new rows by an event of table.js, so that
what is sorted and typed there stays. A page without data-poll, and a tab that no one sees, asks nothing.
All that is shown was made, and escaped, by the server's templates. This script is to run before those that change it. */
(() => {
  const main = () => document.querySelector("main");
  const ticked = new Set();
  let said = new Map();
  let tag = "";
  let timer = 0;
  let asking = 0;

  const remember = (from) => (said = new Map([...from.querySelectorAll("[data-live]")].map((p) => [p.id, p.outerHTML])));

  /* --- asking ---------------------------------------------------------------------------------------------------- */

  async function ask(address, held) {
    const mine = ++asking;
    const answer = await fetch(address, { headers: held ? { "If-None-Match": held } : {}, cache: "no-store" });
    if (mine !== asking || answer.status === 304) return null;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const text = await answer.text();
    if (mine !== asking) return null;
    tag = answer.headers.get("ETag") ?? "";
    return new DOMParser().parseFromString(text, "text/html");
  }

  function wait() {
    clearTimeout(timer);
    const pause = Number(main().dataset.poll);
    if (pause && !document.hidden) timer = setTimeout(look, pause);
  }

  async function look() {
    clearTimeout(timer);
    try {
      const found = await ask(location.href, tag);
      if (found) update(found);
      say("");
    } catch {
      say("The server does not answer: this is what it said last.");
    }
    wait();
  }

  function say(what) {
    const place = document.getElementById("said");
    if (!place || place.textContent === what) return;
    place.textContent = what;
    place.hidden = !what;
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : main().dataset.poll && look()));

  /* --- taking what is new ---------------------------------------------------------------------------------------- */

  function update(found) {
    const next = found.querySelector("main");
    document.title = found.title;
    const before = said;
    remember(next);
    for (const part of next.querySelectorAll("[data-live]"))
      if (before.get(part.id) !== said.get(part.id)) renew(document.getElementById(part.id), part);
    if (next.dataset.poll) main().dataset.poll = next.dataset.poll;
    else delete main().dataset.poll;
    dispatchEvent(new Event("parts"));
    recall();
  }

  function renew(old, part) {
    const table = part.dataset.live === "rows" && part.querySelector("[data-table]");
    const here = table && old.querySelector("[data-table]");
    if (here) {
      const source = part.ownerDocument.getElementById(table.dataset.table);
      here.dispatchEvent(new CustomEvent("rows", { detail: JSON.parse(source.textContent) }));
      return;
    }
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    old.replaceWith(part);
    [...part.querySelectorAll("details")].forEach((one, at) => (one.open = open[at] ?? one.open));
    if (focused) again(part, focused)?.focus({ preventScroll: true });
  }

  const again = (part, { id, value }) =>
    id ? part.querySelector(`#${CSS.escape(id)}`) : value && part.querySelector(`[value="${CSS.escape(value)}"]`);

  function replace(found) {
    const focused = document.activeElement;
    const next = found.querySelector("main");
    document.title = found.title;
    remember(next);
    main().replaceWith(next);
    if (focused?.id) document.getElementById(focused.id)?.focus({ preventScroll: true });
    dispatchEvent(new Event("parts"));
    recall();
  }

  /* --- links and forms that lead to the same page: it is replaced, and the address says what it shows -------------- */

  async function go(address, push) {
    clearTimeout(timer);
    try {
      const found = await ask(address, "");
      if (!found) return;
      if (push) history.pushState(null, "", address);
      replace(found);
    } catch {
      location.assign(address);
      return;
    }
    wait();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-stay]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(link.href, true);
  });

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-stay]")) return;
    event.preventDefault();
    const address = new URL(event.target.action);
    address.search = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value !== ""));
    go(address.href, true);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("form[data-stay] select")) event.target.form.requestSubmit();
    if (event.target.matches("input[name=run]")) {
      if (event.target.checked) ticked.add(event.target.value);
      else ticked.delete(event.target.value);
      recall();
    }
  });

  addEventListener("popstate", () => go(location.href, false));

  /* --- runs that are ticked stay so while the table is sorted, filtered and turned over ---------------------------- */

  function recall() {
    const form = document.getElementById("compare");
    if (!form) return;
    const boxes = [...document.querySelectorAll("input[name=run][type=checkbox]")];
    for (const box of boxes) box.checked = ticked.has(box.value);
    const seen = new Set(boxes.map((box) => box.value));
    form.querySelectorAll("input[type=hidden]").forEach((old) => old.remove());
    for (const value of ticked) {
      if (seen.has(value)) continue;
      const kept = document.createElement("input");
      Object.assign(kept, { type: "hidden", name: "run", value });
      form.append(kept);
    }
    form.querySelector("button").disabled = ticked.size < 2;
    form.querySelector("output").textContent = ticked.size ? `${ticked.size} ticked` : "tick two runs or more";
  }

  remember(document);
  addEventListener("pageshow", () => {
    // A browser that goes back ticks what was ticked.
    for (const box of document.querySelectorAll("input[name=run]:checked")) ticked.add(box.value);
    recall();
    wait();
  });
})();
