// One incident: its clocks, where it stands, the next safe step; the run of its revocation moves on every tab.
import { get } from "../api.js";
import { actionsTab, causesTab } from "../desk/causes.js";
import { clockStrip } from "../desk/clocks.js";
import { massCard, massFacts, tierName, tierTable } from "../desk/mass.js";
import { reportsTab } from "../desk/reports.js";
import { scopesTab } from "../desk/scopes.js";
import { halts, nextStep, roles, stateLine } from "../desk/steps.js";
import { severityLevel, stateLevel } from "../desk/words.js";
import { badge, card, cards, duration, empty, facts, h, head, notice, number, plural, progress, redraw, table, tabs, time, timeline } from "../ui.js";

const VIEWS = [["now", "Now"], ["scope", "Scope"], ["revocation", "Revocation"], ["notices", "Notices"], ["reports", "Reports"], ["causes", "Causes"], ["actions", "Action items"]];
const SLOW_MS = 15000; // while the overview says nothing of it (restricted ones)

let view = null; // what is on the page: {incident, event, refresh()}

function levelOf(text) {
  if (/not be revoked|wrong|halted/.test(text)) return "warning";
  return /posted|finished|notified|resumed/.test(text) ? "ok" : "quiet";
}

async function nowTab(incident, ctx, done) {
  const doc = await get(`incidents/${incident.id}/timeline`, null, { signal: ctx.signal });
  const list = [...doc.timeline].reverse();
  return cards(
    card("Timeline", list.length ? timeline(list.map((e) => ({ time: time(e.at, { seconds: false }), title: e.text, level: levelOf(e.text) }))) : h("p", { class: "quiet" }, "Nothing yet."), { class: "span-7", note: "from the events of the book, the newest first" }),
    h("div", { class: "span-5 stacked" },
      card("Stopped", halts(incident, ctx, done)),
      card("Roles", roles(incident, ctx, done)),
      card("Facts", facts([["How it came to light", incident.source.replaceAll("-", " ")], ["Cause", incident.cause || "not known yet"], ["Aware", time(incident.aware)], ["Deadline of revocation", incident.must ? time(incident.must) : null], ["Opened", [incident.opened_by, ", ", time(incident.opened, { seconds: false })]],
        ["Contained", incident.contained ? time(incident.contained) : null], ["Said to be late", incident.said_late ? time(incident.said_late) : null],
        ["Problem reports", incident.problems.length ? incident.problems.map((p) => [h("a", { href: `/console/problems/${p.problem}` }, `problem ${p.problem}`), " "]) : null]]))));
}

const tierColumns = (mass) => [
  { name: "Tier", value: (t) => `${t.tier}: ${mass.tiers[t.tier] ? tierName(mass.tiers[t.tier], mass.tiers) : ""}`, head: true }, { name: "Certificates", value: (t) => t.members, num: true }, { name: "Replaced", value: (t) => t.replaced, num: true },
  { name: "In the last hour", value: (t) => t.replaced_last_hour, num: true }, { name: "Follow their window", value: (t) => `${t.percent_follow} %${t.assumed ? " (assumed)" : ""}`, num: true }, { name: "Revoked", value: (t) => t.revoked, num: true },
  { name: "Kept by a court", value: (t) => t.held, num: true }, { name: "Left at the deadline", value: (t) => t.unreplaced_at_deadline, num: true },
];

async function revocationTab(incident, ctx) {
  const plan = incident.plans[0];
  if (!plan) return empty("No revocation is planned.", incident.scope_version ? "Plan it: the list is frozen, and clients are asked to renew. Nothing is revoked by that." : "First say which certificates are affected.");
  const [mass, forecast] = await Promise.all([get(`masses/${plan.mass}`, null, { signal: ctx.signal }), get(`incidents/${incident.id}/forecast`, null, { signal: ctx.signal }).catch(() => null)]);
  const late = forecast && forecast.unrevoked_at_deadline > 0 && incident.must;
  return h("div", { class: "stacked" },
    late ? notice("warning", `${plural(forecast.unrevoked_at_deadline, "certificate")} will not be revoked by the deadline as things stand.`) : null,
    cards(card("Plan", facts([["Version", plan.version], ["Of scope version", plan.scope_version], ["Certificates", number(plan.count)], ["Replaced already", number(plan.replaced_already)], ["Windows open", time(plan.first_opens)], ["The last closes", time(plan.last_closes)], ["Each is wide", plan.minutes_wide ? duration(plan.minutes_wide * 60) : null],
      ["Replacements an hour", number(plan.per_hour)], ["Close after the deadline", plan.after_the_deadline ? number(plan.after_the_deadline) : null], ["Made", [plan.made_by, ", ", time(plan.made, { seconds: false })]]])), card("Run", massFacts(mass))),
    forecast ? card("What will be replaced by the deadline", table({ caption: "Forecast by tier", rows: forecast.tiers.filter((t) => t.members > 0), columns: tierColumns(mass) }), { class: "flush" }) : null,
    tierTable(mass));
}

function batchCard(b) {
  return card(`Letters to ${plural(b.accounts, "account")}`, [progress({ done: b.sent + b.failed, total: b.notices, label: "Letters" }),
    facts([["State", badge(b.status)], ["Certificates", number(b.certificates)], ["Written", number(b.notices)], ["Left us", number(b.sent)], ["Came back or failed", b.failed ? number(b.failed) : null], ["Nobody to write to", b.unreached ? number(b.unreached) : null], ["By", [b.by, ", ", time(b.created, { seconds: false })]]])], { level: b.failed || b.unreached ? "warning" : null });
}

async function noticesTab(incident, ctx) {
  const about = `incident ${incident.id}`;
  const [batches, lists] = await Promise.all([get("notice-batches", null, { signal: ctx.signal }), get("notice-lists", null, { signal: ctx.signal })]);
  const mine = batches.batches.filter((b) => b.about === about);
  const published = lists.lists.filter((l) => l.incident === incident.id);
  if (!mine.length && !published.length) return empty("Nobody was told from here.", "“Tell subscribers” writes to every account with a certificate in the frozen list, and can publish the list.");
  return h("div", { class: "stacked" }, cards(...mine.map(batchCard), ...published.map((l) => card("Published list", facts([["Title", l.title], ["Words", l.words], ["Certificates", number(l.rows)], ["Published", l.published ? time(l.published) : "being written"], ["Page", l.published ? [h("code", null, `/affected/incident/${l.incident}`), " of the public address"] : null], ["SHA-256", h("code", null, l.sha256)]])))));
}

async function tab(name, incident, ctx, done) {
  if (name === "scope") return scopesTab(incident, ctx, done);
  if (name === "revocation") return revocationTab(incident, ctx);
  if (name === "notices") return noticesTab(incident, ctx);
  if (name === "now") return nowTab(incident, ctx, done);
  if (name === "actions") return actionsTab(incident, (await get("actions", { id: `incident ${incident.id}` }, { signal: ctx.signal })).actions, ctx, done);
  const facts_ = await get(`incidents/${incident.id}/report`, null, { signal: ctx.signal });
  return name === "reports" ? reportsTab(incident, facts_, ctx, done) : causesTab(incident, facts_, ctx, done);
}

const LIVE_TABS = ["now", "revocation", "notices"];

export async function show(ctx) {
  const id = ctx.match[1];
  const name = VIEWS.some(([v]) => v === ctx.params.get("view")) ? ctx.params.get("view") : "now";
  const read = async () => (await get(`incidents/${id}`, null, { signal: ctx.signal })).incident;
  const above = h("div");
  const top = h("div", { class: "incident-top" });
  const run = h("div", null);
  const body = h("div", { class: "tab-body" });
  let incident = await read();
  let massId = null;

  async function drawRun() {
    const plan = incident.plans[0];
    if (!plan || plan.mass === massId) return view?.mass?.refresh();
    massId = plan.mass;
    const mass = await get(`masses/${plan.mass}`, null, { signal: ctx.signal });
    view.mass = massCard(mass, ctx, { title: "Revocation", ended: () => refresh(true) });
    run.replaceChildren(view.mass);
  }
  const title = () => head(incident.title, { trail: [["Incidents", "/console/incidents"], [`Incident ${id}`, `/console/incidents/${id}`]], state: [badge(incident.status, stateLevel(incident.status)), badge(incident.severity, severityLevel(incident.severity)), incident.restricted ? badge("restricted", "warning") : null] });
  const drawTop = () => redraw(above, title()) && redraw(top, clockStrip(incident.clocks), stateLine(incident), nextStep(incident, ctx, () => refresh(true)));
  async function refresh(all = false) {
    if (ctx.signal.aborted) return;
    const before = JSON.stringify(incident);
    incident = await read();
    if (all || JSON.stringify(incident) !== before) drawTop();
    await drawRun();
    if (all || LIVE_TABS.includes(name)) { const node = await tab(name, incident, ctx, () => refresh(true)); if (!ctx.signal.aborted) redraw(body, node); }
  }
  view = { id, event: JSON.stringify(ctx.overview?.event), refresh };
  drawTop();
  await drawRun();
  body.append(await tab(name, incident, ctx, () => refresh(true)));
  const slow = setInterval(() => { if (incident.restricted) refresh().catch(() => {}); }, SLOW_MS);
  ctx.signal.addEventListener("abort", () => clearInterval(slow), { once: true });
  return h("div", { class: "incident" }, above, top, run, tabs(VIEWS.map(([v, text]) => [text, `/console/incidents/${id}${v === "now" ? "" : `?view=${v}`}`, v === name])), body);
}

/** Something happened in the family: look again, when it may be about this one. */
export function live(event) {
  const newest = JSON.stringify(event.data.event);
  if (!view || newest === view.event) return;
  view.event = newest;
  view.refresh().catch((e) => { if (e.name !== "AbortError") console.error(e); });
}
