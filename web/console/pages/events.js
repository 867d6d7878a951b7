// The audit events: everything that was decided, by whom, in the order in which it was written. Each is a link of a chain that the signer's key ties up.
import { source } from "../api.js";
import { card, copyable, empty, filters, h, head, more, short, table, time } from "../ui.js";

const SUBJECTS = [[/^certificate ([0-9a-f]+)$/, (m) => `/console/certificates/${m[1]}`], [/^incident (\d+)$/, (m) => `/console/incidents/${m[1]}`],
  [/^problem (\d+)$/, (m) => `/console/problems/${m[1]}`], [/^account (\d+)$/, (m) => `/console/accounts/${m[1]}`], [/^plan (p?\d+)$/, (m) => `/console/plans/${m[1]}`],
  [/^drill (\d+)$/, (m) => `/console/drills/${m[1]}`]];

function subject(text) {
  for (const [pattern, href] of SUBJECTS) {
    const match = pattern.exec(text);
    if (match) return h("a", { href: href(match) }, text);
  }
  return text;
}

function said(event) {
  const body = event.body ?? {};
  if (body.withheld) return h("span", { class: "quiet" }, "how people are reached: for operators and auditors");
  const words = Object.entries(body).filter(([, v]) => typeof v !== "object").slice(0, 3).map(([k, v]) => `${k}: ${v}`).join(" · ");
  return more(words.slice(0, 120) || "Details", h("pre", { class: "json", tabindex: "0" }, JSON.stringify(body, null, 2)),
    h("p", { class: "small" }, `Number ${event.sequence} of chain ${event.chain}; hash `, copyable(event.hash)));
}

const columns = [
  { name: "When", value: (e) => time(e.time), class: "nowrap" },
  { name: "What", value: (e) => e.kind, head: true, class: "nowrap" },
  { name: "Of", value: (e) => subject(e.subject), class: "nowrap" },
  { name: "Said", value: said, class: "wide" },
  { name: "Hash", value: (e) => short(e.hash), class: "no-phone" },
];

export async function show(ctx) {
  let values = Object.fromEntries(["name", "id", "order"].map((name) => [name, ctx.params.get(name) ?? ""]));
  const ask = () => source("events", "events", values, { signal: ctx.signal });
  let read = ask();
  const list = table({ caption: "Audit events", columns, unit: ["event"], key: (e) => `${e.chain}/${e.sequence}`, source: (cursor) => read(cursor),
    empty: empty("No event is like that.", "Kinds are words such as certificate.revoked; a subject is, for example, incident 7.") });
  const change = (next) => {
    values = next;
    ctx.setQuery(values);
    read = ask();
    list.reload();
  };
  return h("div", null,
    head("Events", { text: "What was decided, by whom, and when. Nothing here can be changed; lintel audit verify proves it without this page." }),
    filters([{ name: "name", label: "Kind", type: "search" }, { name: "id", label: "Subject", type: "search" },
      { name: "order", label: "Order", any: "newest first", choices: [["issued", "oldest first"]] }], values, change),
    card(null, list, { class: "flush" }));
}
