// Report drafts side by side, compiled by the family: what each lacks and whose it is; sections written and signed here; the files of each.
import { get } from "../api.js";
import { badge, button, card, download, h, linkButton, more, notice, number, plural, table, time, toast } from "../ui.js";
import { act } from "./forms.js";
import { REPORTS } from "./words.js";

/** The text that stands in a section of that report already, or nothing. */
const written = (facts, incident, kind, section) => facts.sections.find((s) => s.incident === incident.id && s.kind === kind && s.section === section)?.text ?? "";

const STATE_LEVEL = { missing: "bad", written: "warning", signed: "ok", computed: "quiet" };

/** Writes a section; when it stands, asks who signs it off. */
async function write(incident, facts, draft, section, done) {
  const answer = await act({ title: `${section.words}`, text: `Of the ${draft.kind} report; ${section.owner} owns it.`, path: `incidents/${incident.id}/report/write`, yes: "Keep the text",
    fields: [{ name: "text", label: section.words, type: "area", rows: 8, needed: true, value: written(facts, incident, draft.kind, section.section) }], fixed: { kind: draft.kind, section: section.section }, done: "Kept. Somebody signs it off." });
  if (answer) done();
}

async function sign(incident, draft, section, done) {
  const answer = await act({ title: `Sign off: ${section.words}`, text: "Your name stands beside it in the record: it is true, and may be said in public.", path: `incidents/${incident.id}/report/sign`, yes: "Sign off", fixed: { kind: draft.kind, section: section.section }, done: "Signed off." });
  if (answer) done();
}

async function assign(incident, draft, section, done) {
  const answer = await act({ title: `Who writes: ${section.words}`, path: `incidents/${incident.id}/report/assign`, yes: "Give it", fields: [{ name: "role", label: "Role or person", needed: true }, { name: "due", label: "Until", type: "time" }], fixed: { kind: draft.kind, section: section.section }, done: "Given." });
  if (answer) done();
}

function sectionRow(incident, facts, draft, ctx, done) {
  const may = ctx.may("operator");
  const tool = (text, of, onclick) => button(text, { class: "plain tool", "aria-label": `${text}: ${of.words}`, onclick });
  return [
    { name: "Section", value: (s) => s.words, head: true, class: "wide" },
    { name: "State", value: (s) => badge(s.state, STATE_LEVEL[s.state]) },
    { name: "Whose", value: (s) => [s.owner, s.due && s.state === "missing" ? [", until ", time(s.due, { seconds: false })] : null] },
    { name: "", spoken: "Change", value: (s) => (may ? h("div", { class: "row nowrap" }, tool(s.state === "missing" || s.state === "computed" ? "Write" : "Change", s, () => write(incident, facts, draft, s, done)),
      s.state === "written" ? tool("Sign off", s, () => sign(incident, draft, s, done)) : null, s.state === "missing" ? tool("Give to", s, () => assign(incident, draft, s, done)) : null) : null) },
  ];
}

/** All pages of an appendix as one text. */
async function appendix(incident, name, kind, onPart) {
  const status = name === "delayed.csv" ? "late" : kind === "delayed" ? "delayed" : "certificates";
  const parts = [];
  for (let page = 1, pages = 1; page <= pages; page++) {
    const doc = await get(`incidents/${incident.id}/report/appendix`, { status, version: page });
    pages = doc.pages;
    parts.push(doc.text);
    onPart?.(page, pages);
  }
  return new Blob(parts, { type: name.endsWith(".csv") ? "text/csv" : "text/plain" });
}

/** Names of a report's files and what gives each of them. */
export function filesOf(incident, draft) {
  return [[draft.name, async () => new Blob([draft.text], { type: "text/markdown" })],
    ...draft.appendices.map((name) => [name, (onPart) => appendix(incident, name, draft.kind, onPart)]),
    ...draft.drawings.map((d) => [d.name, async () => new Blob([d.text], { type: "image/svg+xml" })])];
}

/** A button for each file. */
export function downloads(incident, draft) {
  return filesOf(incident, draft).map(([name, make]) => {
    const el = button(name, { "aria-label": `Download ${name}`, onclick: async () => {
      el.disabled = true;
      try {
        download(name, await make((page, pages) => { if (pages > 1) el.textContent = `${name} ${page}/${pages}`; }));
      } catch (e) { toast(e.detail ?? e.message, "bad"); } finally { el.disabled = false; el.textContent = name; }
    } });
    return el;
  });
}

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");

/** It was posted: the hash of exactly this text is recorded, and its clocks are met. */
async function handed(incident, draft, done) {
  const sha256 = hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(draft.text)));
  const open = draft.missing + draft.unsigned + draft.errors > 0;
  const answer = await act({ title: `The ${draft.kind} report was posted`, yes: "Record it",
    text: `Recorded is the SHA-256 of the draft as it stands here: ${sha256.slice(0, 16)}…`, path: `incidents/${incident.id}/report/handed`, fixed: { kind: draft.kind, sha256 },
    fields: [{ name: "where", label: "Where it is", needed: true, hint: "The address of the bug or comment" }, { name: "at", label: "When", type: "time", hint: "UTC. Left empty: now." },
      ...(open ? [{ name: "anyway", label: "Why it went out so", type: "area", rows: 2, needed: true, hint: `${plural(draft.missing, "section")} missing, ${number(draft.unsigned)} not signed off, ${plural(draft.errors, "error")}.` }] : [])], done: "Recorded; its clock is met." });
  if (answer) done();
}

/** Where the report's numbers are from. Only the full report and that of a delay have any. */
export function counted(incident, draft) {
  if (!["full", "delayed"].includes(draft.kind)) return null;
  if (draft.counted) return h("p", { class: "quiet small" }, `${plural(draft.certificates, "certificate")} of the frozen list counted for this, one by one.`);
  const command = draft.appendices.length ? `lintel incident report ${incident.id} --kind ${draft.kind} --out report-${incident.id}` : `lintel incident revoke ${incident.id}`;
  return notice("info", [draft.appendices.length ? "More than 300,000 certificates are not counted for a page: the numbers are the scope's. This counts each of them: "
    : "No list is frozen yet, so the numbers are the scope's. They are counted when there is one: ", h("code", null, command)]);
}

const LEVEL = { error: "bad", warning: "warning", note: "info" };

function findingList(draft) {
  if (!draft.findings.length) return null;
  return more(`What the check says (${plural(draft.errors, "error")}, ${plural(draft.warnings, "warning")})`, h("ul", { class: "finding-list" }, draft.findings.map((f) => h("li", null, badge(f.severity, LEVEL[f.severity]), " ", f.section ? h("b", null, f.section + ": ") : null, f.message, h("span", { class: "quiet small" }, ` ${f.citation}${f.line ? `, line ${f.line}` : ""}`)))));
}

function draftCard(incident, facts, draft, title, ctx, done) {
  const posted = facts.handed.filter((x) => x.kind === draft.kind);
  const lacking = draft.missing + draft.unsigned;
  const state = posted.length ? badge("posted", "ok") : lacking ? badge(`${draft.missing} missing, ${draft.unsigned} unsigned`, draft.missing ? "bad" : "warning") : draft.errors ? badge(plural(draft.errors, "error"), "bad") : badge("ready", "ok");
  const left = draft.sections.filter((s) => s.state === "missing" || s.state === "written");
  return card(title, [
    h("div", { class: "row draft-state" }, state, h("span", { class: "push" }), linkButton("Read and print", `/console/incidents/${incident.id}/report/${draft.kind}`)),
    left.length ? table({ caption: `What the ${draft.kind} report lacks`, rows: left, columns: sectionRow(incident, facts, draft, ctx, done) }) : h("p", { class: "quiet" }, "Nothing is missing: every section is computed, or written and signed."),
    findingList(draft),
    more(`All ${draft.sections.length} sections`, table({ caption: `Sections of the ${draft.kind} report`, rows: draft.sections, columns: sectionRow(incident, facts, draft, ctx, done) })),
    counted(incident, draft),
    h("h3", null, "Files"), h("div", { class: "row" }, downloads(incident, draft)),
    posted.map((x) => h("p", { class: "quiet small" }, "Posted ", time(x.handed), ` by ${x.by}: `, /^https?:/.test(x.where) ? h("a", { href: x.where, rel: "noreferrer" }, x.where) : x.where)),
    ctx.may("operator") ? h("div", { class: "row" }, button("It was posted", { onclick: () => handed(incident, draft, done) })) : null,
  ], { class: "draft" });
}

/** The tab: all drafts that make sense now, side by side. */
export async function reportsTab(incident, facts, ctx, done) {
  const late = Boolean(incident.said_late) || facts.handed.some((x) => x.kind === "delayed");
  const kinds = REPORTS.filter(([kind]) => kind !== "delayed" || late);
  const drafts = await Promise.all(kinds.map(([kind]) => get(`incidents/${incident.id}/report/${kind}`, null, { signal: ctx.signal })));
  return h("div", { class: "stacked" },
    late ? null : h("p", { class: "quiet" }, "A report of the delay is drafted here as soon as something is going to be late."),
    h("div", { class: "drafts" }, drafts.map((draft, i) => draftCard(incident, facts, draft, kinds[i][1], ctx, done))));
}
