// The page of a served model: says what /openapi.json and /model say, and asks /predict. Foreign text goes into text nodes alone.
"use strict";
const at = (id) => document.getElementById(id);
let token = "";

function element(tag, content, className) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (content instanceof Node) made.append(content);
  else if (content !== undefined) made.textContent = shown(content);
  return made;
}

// What no one could see is shown by its code.
function shown(value) {
  return String(value).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

function ask(path, options = {}) {
  const headers = { ...(options.headers || {}) };
  if (token) headers.authorization = "Bearer " + token;
  return fetch(path, { ...options, headers, credentials: "omit" });
}

function fail(message) {
  at("failed").textContent = shown(message);
  at("failed").hidden = !message;
}

async function begin() {
  const [schema, model] = await Promise.all([ask("/openapi.json"), ask("/model")]);
  if (schema.status === 401 || model.status === 401) {
    at("key").hidden = false;
    fail(token ? "This token is not known here." : "");
    return;
  }
  if (!schema.ok || !model.ok) { fail("The server does not tell of its model: " + schema.status); return; }
  fail("");
  tell(await schema.json(), await model.json());
}

function tell(schema, model) {
  document.title = model.model;
  at("name").textContent = at("title").textContent = shown(model.model);
  at("sub").textContent = shown("Predicts " + model.output + " · " + model.task + " · asked for as " + model.asked);
  if (model.problem) fail(model.problem);
  at("with-proba").hidden = !model.probabilities;
  const example = schema.paths["/predict"].post.requestBody.content["application/json"].examples.row.value;
  if (!at("body").value) at("body").value = JSON.stringify(example, null, 2);
  writeCurl();
  at("count").textContent = model.columns.length;
  at("rows").replaceChildren(...model.columns.map(columnRow));
  at("id-column").textContent = model.id ? shown("A row may have '" + model.id + "' too: it comes back as id.") : "";
  at("paths").replaceChildren(...Object.entries(schema.paths).flatMap(pathRows));
  at("facts").replaceChildren(...facts(model));
}

function columnRow(column) {
  const row = element("tr");
  row.append(element("th", column.name), element("td", column.type), element("td", column.nullable ? "yes" : "no"));
  const values = (column.allowed || column.examples).map((value) => JSON.stringify(value)).join(", ");
  row.append(element("td", (column.allowed ? "only " : "") + values, "code"));
  return row;
}

function pathRows([path, methods]) {
  return Object.entries(methods).map(([method, operation]) => {
    const row = element("tr");
    row.append(element("th", element("code", method.toUpperCase() + " " + path)), element("td", operation.summary));
    row.append(element("td", Object.keys(operation.responses).join(" ")));
    return row;
  });
}

// Which rows a score is of is half of what it says: validation splits, or rows that were held out of all of them.
function scores(model, middle, spread = () => null) {
  const number = (value) => value.toPrecision(4);
  const known = Object.entries(model.metrics).filter(([, m]) => middle(m) != null);
  return known.map(([name, m]) => name + " " + number(middle(m)) + (spread(m) == null ? "" : " ± " + number(spread(m)))).join(", ");
}

function facts(model) {
  const lineage = model.lineage;
  const said = {
    "Registered": model.registered, "Run": lineage.run, "Trained": lineage.started,
    "Data": lineage.data && lineage.data.version.slice(0, 12) + ", " + lineage.data.rows + " rows",
    "Commit": lineage.commit && lineage.commit.slice(0, 12),
    "Over the splits": scores(model, (m) => m.mean, (m) => m.std), "On held-out rows": scores(model, (m) => m.test),
    "Classes": model.classes && model.classes.join(", "),
  };
  return Object.entries(said).filter(([, value]) => value).flatMap(([name, value]) => [element("dt", name), element("dd", value)]);
}

function address() { return "/predict" + (at("proba").checked ? "?proba=true" : ""); }

function quoted(text) { return "'" + text.replaceAll("'", "'\\''") + "'"; }

function writeCurl() {
  let body = at("body").value;
  try { body = JSON.stringify(JSON.parse(body)); } catch { /* as it stands */ }
  const held = at("key").hidden ? "" : " -H \"Authorization: Bearer $TOKEN\"";
  at("curl").textContent = shown("curl " + quoted(location.origin + address()) + held + " -H 'Content-Type: application/json' -d " + quoted(body));
}

async function predict(event) {
  event.preventDefault();
  const began = performance.now();
  try {
    const answer = await ask(address(), { method: "POST", headers: { "content-type": "application/json" }, body: at("body").value });
    const text = await answer.text();
    at("took").textContent = Math.round(performance.now() - began) + " ms, status " + answer.status;
    at("answer").classList.toggle("wrong", !answer.ok);
    try { at("answer").textContent = shown(JSON.stringify(JSON.parse(text), null, 2)); } catch { at("answer").textContent = shown(text); }
  } catch {
    at("took").textContent = "";
    at("answer").classList.add("wrong");
    at("answer").textContent = "The server cannot be reached.";
  }
  at("answer").hidden = false;
}

function several() {
  try {
    const value = JSON.parse(at("body").value);
    at("body").value = JSON.stringify(Array.isArray(value) ? value[0] : [value, value], null, 2);
    writeCurl();
  } catch { at("took").textContent = "This is no JSON yet."; }
}

at("try").addEventListener("submit", predict);
at("several").addEventListener("click", several);
at("body").addEventListener("input", writeCurl);
at("proba").addEventListener("change", writeCurl);
at("key").addEventListener("submit", (event) => { event.preventDefault(); token = at("token").value.trim(); begin(); });
begin().catch(() => fail("The server cannot be reached."));
