// Drills: when the next is due, what was held and how it scored, rehearsals on certificates in use.
import { get, source } from "../api.js";
import { act } from "../desk/forms.js";
import { badge, button, card, countdown, duration, empty, h, head, linkButton, number, percent, table, time } from "../ui.js";

const drillColumns = [
  { name: "Scenario", value: (d) => h("a", { href: `/console/drills/${d.id}` }, d.scenario), head: true, class: "wide" }, { name: "Mode", value: (d) => d.mode || d.kind, class: "nowrap" }, { name: "Score", value: (d) => (d.passed ? badge("passed", "ok") : badge("missed something", "bad")) },
  { name: "Missed", value: (d) => d.missed, class: "wide" }, { name: "Certificates", value: (d) => d.certificates, num: true }, { name: "Took", value: (d) => duration((Date.parse(d.ended) - Date.parse(d.begun)) / 1000), class: "nowrap" }, { name: "Held", value: (d) => time(d.begun, { seconds: false }) },
];

const open = (d) => !["held", "done", "dropped"].includes(d.status);

function dateColumns(ctx, done) {
  const drop = (d) => async () => { if (await act({ title: `Drop the drill of ${d.due.slice(0, 10)}`, path: `drill-dates/${d.id}/drop`, fields: [{ name: "why", label: "Why", type: "area", needed: true }], done: "Dropped." })) done(); };
  return [{ name: "Due", value: (d) => (open(d) ? countdown(d.due, { began: d.made }) : badge(d.status)), class: "nowrap" }, { name: "Scenario", value: (d) => d.scenario || "any", head: true, class: "wide" }, { name: "Kind", value: (d) => d.kind }, { name: "Owner", value: (d) => d.owner }, { name: "Every", value: (d) => (d.every_days ? `${number(d.every_days)} days` : null) },
    { name: "Held as", value: (d) => (d.drill ? h("a", { href: `/console/drills/${d.drill}` }, `drill ${d.drill}`) : null) }, { name: "", spoken: "Change", value: (d) => (open(d) && ctx.may("operator") ? button("Drop", { class: "plain tool", "aria-label": `Drop the drill of ${d.due.slice(0, 10)}`, onclick: drop(d) }) : null) }];
}

const rehearsalColumns = [
  { name: "No", value: (r) => r.id, num: true, class: "narrow" }, { name: "What for", value: (r) => r.note, head: true, class: "wide" }, { name: "State", value: (r) => badge(r.status) }, { name: "Certificates", value: (r) => r.count, num: true },
  { name: "Replaced in time", value: (r) => (r.ended ? `${number(r.reacted_at_end)} (${percent(r.reacted_at_end, r.count)})` : "running"), num: true }, { name: "Until", value: (r) => time(r.until, { seconds: false }) }];

async function plan(done) {
  const answer = await act({ title: "Plan a drill", path: "drill-dates", yes: "Plan it", done: "Planned; a clock warns before.", fields: [{ name: "scenario", label: "Scenario", hint: "lintel drill list has them, such as le-caa-2020" }, { name: "kind", label: "Kind", type: "select", needed: true, choices: ["simulation", "tabletop", "rehearsal"], value: "simulation" }, { name: "owner", label: "Owner", needed: true },
    { name: "due", label: "Held by", type: "time", needed: true }, { name: "every-days", label: "Again every so many days", type: "number", value: 365 }, { name: "note", label: "Note", type: "area", rows: 2 }] });
  if (answer) done();
}

export async function show(ctx) {
  const drills = table({ caption: "Drills that were held", columns: drillColumns, unit: ["drill"], source: source("drills", "drills"), empty: empty("No drill is on record here.", "lintel drill run le-caa-2020 goes through a real incident on a CA that is nobody's; lintel drill record brings its score here.") });
  const dates = table({ caption: "The calendar", columns: dateColumns(ctx, () => dates.reload()), unit: ["date"], source: source("drill-dates", "dates"), empty: empty("No drill is planned.", "BR 5.7.1.2 asks for one a year.", ctx.may("operator") ? button("Plan a drill", { onclick: () => plan(() => dates.reload()) }) : null) });
  const rehearsals = (await get("rehearsals", null, { signal: ctx.signal })).rehearsals;
  return h("div", null, head("Drills", { text: "What is not drilled is not trusted.", actions: ctx.may("operator") ? [button("Plan a drill", { kind: "primary", onclick: () => plan(() => dates.reload()) })] : null }),
    card("Calendar", dates, { class: "flush" }), card("Held", drills, { class: "flush" }),
    card("Rehearsals on certificates in use", table({ caption: "Rehearsals", columns: rehearsalColumns, rows: rehearsals, empty: empty("None was held.", "lintel drill rehearse moves some renewal windows to now and counts who replaced. Nothing is revoked.", linkButton("Readiness", "/console/readiness")) }), { class: "flush" }));
}
