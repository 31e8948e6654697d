"use strict";
/* Tables that sort by a click on a header and filter by typing.

A section with the attribute data-table="ID" holds a table with its first rows already in it, and the element ID holds
all rows as JSON: {"columns": [{"name", "kind", "first"}], "rows": [[cell]]}. A cell is a text, a number, null, or
{"t": text, "c": class, "h": link, "d": outline of a drawing}. Nothing that a cell says becomes markup.

New rows come by an event: section.dispatchEvent(new CustomEvent("rows", {detail: data})); what is sorted, typed and
shown stays as it is. */
(() => {
  const STEP = 100;
  const SVG = "http://www.w3.org/2000/svg";
  const CONDITION = /^(.+?)(>=|<=|!=|=|>|<)(.*)$/;
  const collator = new Intl.Collator("en", { numeric: true });

  const shown = (cell) => (cell === null ? "" : String(typeof cell === "object" ? cell.t ?? "" : cell));

  /* A number where the text is one, for numbers come before words and what is missing comes last. */
  function key(cell) {
    const text = shown(cell).trim();
    if (text === "") return null;
    const value = Number(text);
    return Number.isNaN(value) ? text : value;
  }

  function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    const words = (typeof a === "string") - (typeof b === "string");
    if (words) return words;
    return sign * (typeof a === "string" ? collator.compare(a, b) : a - b);
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function drawing(outline) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "spark");
    svg.setAttribute("viewBox", "0 0 100 20");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(SVG, "path"));
    svg.firstChild.setAttribute("d", outline);
    return svg;
  }

  function fill(td, cell, kind) {
    td.className = kind;
    if (cell === null || typeof cell !== "object") {
      td.textContent = shown(cell);
      return td;
    }
    if (cell.c) td.classList.add(...cell.c.split(" "));
    if (cell.d) td.append(drawing(cell.d));
    if (cell.h && /^[/#](?!\/)/.test(cell.h)) {
      td.append(element("a", "", shown(cell)));
      td.lastChild.setAttribute("href", cell.h);
    } else {
      td.append(shown(cell));
    }
    return td;
  }

  function told(found, total, limit) {
    const [all, some, shownNow] = [total, found, limit].map((n) => n.toLocaleString("en"));
    const what = `${all} ${total === 1 ? "row" : "rows"}`;
    const first = found > limit ? `first ${shownNow} of ` : "";
    return found === total ? first + what : `${first}${some} of ${what} match`;
  }

  const typedName = (column) => column.name.toLowerCase().replace(/ [↑↓]$/, "").replace(/ /g, "_");

  /* A condition such as roc_auc>0.9 or model=svm where the left side is a column, else words that some cell holds. */
  function term(word, columns) {
    const [, name, sign, text] = CONDITION.exec(word) ?? [];
    const at = name === undefined ? -1 : columns.findIndex((c) => typedName(c) === name);
    if (at < 0) return (row, all) => all.includes(word);
    if (sign === "=" || sign === "!=")
      return (row) => (shown(row[at]).toLowerCase() === text || key(row[at]) === key(text || null)) === (sign === "=");
    const bound = Number(text);
    const holds = { ">": (v) => v > bound, "<": (v) => v < bound, ">=": (v) => v >= bound, "<=": (v) => v <= bound }[sign];
    return (row) => typeof key(row[at]) === "number" && holds(key(row[at]));
  }

  function enhance(section) {
    const source = document.getElementById(section.dataset.table);
    if (!source || section.dataset.ready) return;
    section.dataset.ready = "yes";
    const table = section.querySelector("table");
    const body = table.tBodies[0];
    const state = { data: JSON.parse(source.textContent), column: -1, sign: 1, typed: "", limit: STEP };
    const tools = section.querySelector(".tools") ?? section.insertBefore(element("div", "tools"), section.firstChild);
    const label = element("label", "", "Filter ");
    const input = element("input");
    input.type = "search";
    input.placeholder = section.dataset.example ?? "";
    input.autocomplete = "off";
    input.spellcheck = false;
    label.append(input);
    const count = element("output", "count");
    tools.replaceChildren(label, count);
    const more = element("button", "more");
    more.type = "button";
    section.append(more);
    let texts = [];

    function head() {
      const cells = state.data.columns.map((column, at) => {
        const th = element("th", column.kind);
        th.scope = "col";
        if (column.kind === "drawn") {
          th.textContent = column.name;
          return th;
        }
        const button = element("button");
        button.type = "button";
        button.append(element("span", "", column.name));
        button.addEventListener("click", () => sort(at));
        th.append(button);
        return th;
      });
      const row = element("tr");
      row.append(...cells);
      table.tHead.replaceChildren(row);
    }

    function signs() {
      [...table.tHead.rows[0].cells].forEach((th, at) => {
        if (state.data.columns[at].kind === "drawn") return;
        th.setAttribute("aria-sort", at !== state.column ? "none" : state.sign > 0 ? "ascending" : "descending");
      });
    }

    function sort(at) {
      const first = state.data.columns[at].first === "down" ? -1 : 1;
      state.sign = state.column === at ? -state.sign : first;
      state.column = at;
      state.limit = STEP;
      signs();
      rows();
    }

    function chosen() {
      const tests = state.typed.toLowerCase().split(/\s+/).filter(Boolean).map((word) => term(word, state.data.columns));
      const all = state.data.rows;
      const left = [...all.keys()].filter((i) => tests.every((test) => test(all[i], texts[i])));
      if (state.column < 0) return left;
      const keys = all.map((row) => key(row[state.column]));
      return left.sort((a, b) => compare(keys[a], keys[b], state.sign) || a - b);
    }

    function rows() {
      const order = chosen();
      const kinds = state.data.columns.map((column) => column.kind);
      const made = document.createDocumentFragment();
      for (const i of order.slice(0, state.limit)) {
        const row = element("tr");
        row.append(...state.data.rows[i].map((cell, at) => fill(element("td"), cell, kinds[at])));
        made.append(row);
      }
      body.replaceChildren(made);
      count.textContent = told(order.length, state.data.rows.length, state.limit);
      more.hidden = order.length <= state.limit;
      more.textContent = `Show ${Math.min(STEP, order.length - state.limit)} more`;
    }

    function take(data) {
      const same = JSON.stringify(data.columns) === JSON.stringify(state.data.columns);
      state.data = data;
      texts = data.rows.map((row) => row.map(shown).join("\n").toLowerCase());
      if (!same || !table.tHead.querySelector("button")) {
        if (!same) state.column = -1;
        head();
      }
      signs();
      rows();
    }

    input.addEventListener("input", () => {
      state.typed = input.value;
      state.limit = STEP;
      rows();
    });
    more.addEventListener("click", () => {
      state.limit += STEP;
      rows();
    });
    section.addEventListener("rows", (event) => take(event.detail));
    take(state.data);
  }

  const all = () => document.querySelectorAll("[data-table]").forEach(enhance);
  addEventListener("parts", all); // parts of the page have been replaced
  all();
})();
