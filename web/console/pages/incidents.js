// All incidents that this viewer may see, and the way to open one.
import { get, source } from "../api.js";
import { act } from "../desk/forms.js";
import { nearest } from "../desk/clocks.js";
import { duty, SEVERITIES, severityLevel, stateLevel } from "../desk/words.js";
import { badge, button, countdown, empty, filters, h, head, table, time } from "../ui.js";

/** Asks what happened and opens an incident: its clocks start. known: title, source, fixed (members that are known already), scope (an expression, handed on to its scope). */
export async function openIncident(ctx, known = {}) {
  const [choices, causes] = await Promise.all([get("incident-choices"), get("causes")]);
  const answer = await act({
    title: "Open an incident", path: "incidents", yes: "Open it: clocks start", kind: "primary", done: (a) => `Incident ${a.id} is open.`, fixed: known.fixed,
    text: "Its clocks run from when the CA became aware, by the rule of how it came to light. Whoever opens it commands it." + (known.scope ? ` Next you are asked to save its scope: ${known.scope}` : ""),
    fields: [
      { name: "title", label: "What is wrong", needed: true, max: 300, value: known.title },
      { name: "source", label: "How it came to light", type: "select", needed: true, value: known.source ?? "person", choices: choices.sources.map((s) => [s.source, s.source.replaceAll("-", " ")]) },
      { name: "cause", label: "Why certificates may have to be revoked", type: "select", any: "not known yet", choices: causes.causes.map((c) => [c.cause, `${c.words} (${c.must_s / 86400 === 1 ? "24 h" : `${c.must_s / 86400} days`})`]) },
      { name: "severity", label: "Severity", type: "select", choices: SEVERITIES, value: "high" },
      { name: "aware", label: "When the CA became aware", type: "time", hint: "UTC. Left empty: now, or what the rule of the source says." },
      { name: "restricted", label: "Restricted: shown to nobody but those who have a role in it", type: "check" },
    ],
  });
  if (answer) ctx.navigate(`/console/incidents/${answer.id}${known.scope ? "?" + new URLSearchParams({ view: "scope", scope: known.scope }) : ""}`);
}

/** The clock that is next, from the overview where it has one. */
function nextOf(row, ctx) {
  const own = row.clocks ? nearest(row.clocks) : null;
  const next = own ? { due: own.due, what: duty(own.duty) } : (ctx.overview?.next ?? []).find((n) => String(n.incident) === String(row.id));
  return next ? [countdown(next.due, { level: next.level }), h("div", { class: "quiet small" }, next.what)] : row.closed ? h("span", { class: "quiet" }, "closed ", time(row.closed, { date: true })) : null;
}

const columns = (ctx) => [
  { name: "No", value: (i) => i.id, num: true, class: "narrow" },
  { name: "What", value: (i) => [h("a", { href: `/console/incidents/${i.id}` }, i.title), i.restricted ? [" ", badge("restricted", "warning")] : null, i.drill ? [" ", badge("drill", "quiet")] : null], head: true, class: "wide" },
  { name: "State", value: (i) => badge(i.status, stateLevel(i.status)) },
  { name: "Severity", value: (i) => badge(i.severity, severityLevel(i.severity)) },
  { name: "Next clock", value: (i) => nextOf(i, ctx) },
  { name: "Aware", value: (i) => time(i.aware, { seconds: false }) },
];

export async function show(ctx) {
  const open = ctx.may("operator") ? button("Open an incident", { kind: "primary", onclick: () => openIncident(ctx) }) : null;
  const values = { status: ctx.params.get("status") ?? "" };
  const list = table({ caption: "Incidents", columns: columns(ctx), unit: ["incident"], key: (i) => String(i.id), source: async (cursor) => { const page = await source("incidents", "incidents", { ...values })(cursor); return { ...page, rows: [...(page.doc.mine ?? []), ...page.rows] }; },
    empty: empty(values.status ? "None in this state." : "No incident so far.", "An incident is opened when certificates may be wrong, or a duty was missed. Its clocks then run by themselves.", ...(open ? [button("Open an incident", { onclick: () => openIncident(ctx) })] : [])) });
  const bar = filters([{ name: "status", label: "State", choices: [["open", "Open"], ...["detected", "declared", "contained", "scoped", "notifying", "replacing", "revoking", "reporting", "learning", "closed"]] }], values, (now) => { values.status = now.status ?? ""; ctx.setQuery(now); list.reload(); });
  return h("div", null, head("Incidents", { text: "From “something is wrong” to closed. The clocks are the Baseline Requirements' and the CCADB's.", actions: open ? [open] : null }), bar, list);
}
