// The problem desk: every report that came in, the most urgent first; nothing is thrown away, all have the same clock.
import { get, source } from "../api.js";
import { act } from "../desk/forms.js";
import { badge, button, card, countdown, empty, filters, h, head, table, time } from "../ui.js";

const DAY_MS = 86400e3;
const STATES = ["received", "open", "waiting-reporter", "waiting-requester", "waiting-provider", "answered", "closed"];

/** Findings are due 24 hours after the receipt (BR 4.9.5); the clock ends when they reached both sides. */
function clock(p) {
  if (p.status === "closed") return h("span", { class: "quiet" }, "closed");
  if (p.told && !p.came_back) return badge("told in time", "ok");
  return countdown(new Date(Date.parse(p.received) + DAY_MS), { began: p.received });
}

const nameOf = (p) => `${p.id}: ${p.title || "without a title"}`;
const rankLevel = (rank) => (rank >= 85 ? "bad" : rank >= 65 ? "warning" : rank >= 45 ? "info" : "quiet");

const columns = (people) => [
  { name: "Findings due", value: clock, class: "nowrap" },
  { name: "Rank", value: (p) => h("span", { title: p.rank_why }, badge(String(p.rank), rankLevel(p.rank))), num: true },
  { name: "Report", value: (p) => [people ? h("a", { href: `/console/problems/${p.id}` }, nameOf(p)) : nameOf(p), p.same_as ? h("div", { class: "quiet small" }, "the same as ", h("a", { href: `/console/problems/${p.same_as}` }, String(p.same_as))) : null, h("div", { class: "quiet small" }, p.rank_why)], head: true, class: "wide" },
  { name: "From", value: (p) => [p.contact || "–", h("div", { class: "quiet small" }, p.channel)] },
  { name: "State", value: (p) => [badge(p.status, { open: "warning", received: "warning", answered: "ok", closed: "quiet" }[p.status] ?? "info"), p.decision ? h("div", { class: "quiet small" }, p.decision) : null] },
  { name: "Received", value: (p) => time(p.received, { seconds: false }) },
];

async function record(ctx) {
  const causes = (await get("causes")).causes;
  const answer = await act({ title: "A report that came by telephone or letter", path: "problems", yes: "Record it: its clock starts", done: (a) => `Problem ${a.problem ?? a.id} is recorded.`, fixed: { channel: "phone" },
    text: "Its clock runs from when it was received, not from now.", fields: [
      { name: "title", label: "In a few words", max: 300 }, { name: "text", label: "What was said", type: "area", rows: 6, needed: true }, { name: "contact", label: "Mail address of the reporter" },
      { name: "about", label: "Certificates or names it is about", type: "lines", hint: "One a line: serial, SHA-256, crt.sh link or name" }, { name: "cause", label: "What is claimed", type: "select", choices: causes.map((c) => [c.cause, c.words]) }, { name: "received", label: "When it was received", type: "time" }] });
  const id = answer?.problem ?? answer?.id;
  if (id) ctx.navigate(`/console/problems/${id}`);
}

const channelColumns = [
  { name: "Way in", value: (c) => c.name, head: true, class: "wide" }, { name: "State", value: (c) => badge(c.status ?? "unknown") }, { name: "Last tried", value: (c) => time(c.seen ?? c.last ?? c.sent ?? null, { ago: true }) }];

async function channels(ctx) {
  try {
    const doc = await get("problems/channels", null, { signal: ctx.signal });
    return card("Does it work today?", table({ caption: "Ways in", rows: doc.channels ?? [], columns: channelColumns, empty: empty("No way in is tried every day.", "Name every address of the CPS, the CCADB and the website: lintel problem channel add 'mail problems@…'") }), { class: "flush" });
  } catch (e) {
    if (e.status === 403) return null;
    throw e;
  }
}

let view = null;

/** What the overview says of the desk: it changes with a report that comes or goes. */
const desk = (overview) => JSON.stringify(overview?.problems ?? null);

export async function show(ctx) {
  const values = { status: ctx.params.get("status") ?? "open" };
  const list = table({ caption: "Problem reports", columns: columns(ctx.may("operator", "auditor")), unit: ["report"], key: (p) => String(p.id), rowClass: (p) => (p.status === "closed" ? "quiet" : null), source: (cursor) => source("problems", "problems", { status: values.status === "all" ? null : values.status })(cursor),
    empty: empty("No report waits.", "Mail, form and API bring reports in by themselves. What came by telephone is recorded here.", ctx.may("operator") ? button("Record a report", { onclick: () => record(ctx) }) : null) });
  const bar = filters([{ name: "status", label: "State", any: "Open, by rank", choices: [["all", "All, the newest first"], ...STATES.filter((s) => s !== "open")] }], { status: values.status === "open" ? "" : values.status }, (now) => { values.status = now.status ?? "open"; ctx.setQuery(now); list.reload(); });
  view = { list, desk: desk(ctx.overview) };
  return h("div", null, head("Problem desk", { text: "Preliminary findings go to both sides within 24 hours of the receipt; the rank orders this list and nothing else.", actions: ctx.may("operator") ? [button("Record a report", { onclick: () => record(ctx) })] : null }), bar, list, await channels(ctx));
}

/** A report came or went: read again, unless somebody is at a row. */
export function live(event) {
  const now = desk(event.data);
  if (!view?.list.isConnected || now === view.desk || view.list.contains(document.activeElement)) return;
  view.desk = now;
  view.list.reload();
}
