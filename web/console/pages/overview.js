// The overview: what is wrong and what to do about it first, the clocks, work that runs, then how things go. Each part is drawn again only when its own
// part of the document has changed, so that an open console costs next to nothing.
import { get } from "../api.js";
import { badge, card, countdown, empty, facts, figure, h, head, linkButton, mark, number, percent, plot, plural, progress, redraw, setNow, stack, table, ticking, tiers, time, nowMs } from "../ui.js";

const TONES = ["a", "b", "c", "d", "e"];
const list = (value) => value ?? [];
const link = (text, href) => (href ? h("a", { href }, text) : text);

const RANK = { bad: 0, warning: 1, info: 2, ok: 3 };
const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : text);

/** What a finding means here and now, where the document says more of it elsewhere. */
function hintOf(f, o) {
  if (f.hint) return f.hint;
  const missed = list(o.next).filter((c) => c.level === "bad");
  if (/deadline/.test(f.text) && missed.length) return missed.map((c) => h("div", null, capital(c.what), c.subject ? `, ${c.subject}: ` : ": ", countdown(c.due, { level: c.level })));
  const halt = list(o.halts).find((each) => f.text.endsWith(`${each.kind} ${each.value}`));
  return halt ? [`${halt.reason}, since `, time(halt.since, { seconds: false })] : null;
}

/** What stands against calm, worst first: what the family found, and what this page sees for itself. */
function troubles(o) {
  const found = list(o.findings).map((f) => ({ level: f.level ?? "warning", text: f.text, href: f.href, hint: hintOf(f, o) }));
  const add = (level, text, more) => { if (!found.some((f) => f.text.includes(text) || text.includes(f.text))) found.push({ level, text, ...more }); };
  if (o.worst && o.worst.level !== "ok") add(o.worst.level, o.worst.text, { href: o.worst.href });
  if (o.held && !found.some((f) => /held/i.test(f.text))) add("bad", "Issuance is held: nothing is signed until the family agrees with itself again", { href: "/console/settings", hint: o.held_reason });
  for (const halt of list(o.halts)) add("warning", `Issuance is halted: ${[halt.kind, halt.value].filter(Boolean).join(" ")}`, { hint: halt.reason, href: "/console/plans" });
  for (const role of list(o.roles).filter((r) => !r.up && !found.some((f) => f.text.includes(r.role)))) add("bad", `${role.role} is not running`, { hint: role.state === "down" ? null : role.state });
  if (o.counts?.behind) add("info", `The book is being counted: ${plural(o.counts.total, "certificate")} so far`);
  return found.sort((x, y) => RANK[x.level] - RANK[y.level]);
}

function drawTroubles(o) {
  const found = troubles(o);
  if (!found.length) return h("p", { class: "calm" }, mark("ok"), " Nothing is wrong.", h("span", { class: "quiet" }, o.next?.length ? " The nearest clock is beside this." : " No clock is running."));
  return h("ul", { class: "troubles" }, found.map((f) => h("li", { "data-level": f.level }, mark(f.level), h("div", null, h("span", { class: "spoken" }, `${f.level}: `), link(f.text, f.href), f.hint ? h("div", { class: "quiet hint" }, f.hint) : null))));
}

/** How much of a clock is used up, moving. */
function used(clock) {
  const fill = h("span", { class: "used-fill", "data-level": clock.level ?? "ok" });
  const fixed = Math.min(100, Math.max(0, clock.percent ?? 0));
  if (!clock.began) fill.style.width = `${fixed}%`;
  else ticking(fill, (el) => { el.style.width = `${Math.min(100, (100 * (nowMs() - Date.parse(clock.began))) / (Date.parse(clock.due) - Date.parse(clock.began)))}%`; }, 10);
  return h("span", { class: "used", "aria-hidden": "true" }, fill);
}

function drawClocks(o) {
  if (!list(o.next).length) return empty("No clock is running.", "Problem reports, incidents and duties start clocks; the nearest eight are shown here.");
  return h("ol", { class: "clocks" }, o.next.slice(0, 8).map((c) => h("li", null, h("div", { class: "clock-what" }, link(capital(c.what), c.href), c.subject ? h("div", { class: "quiet small" }, c.subject) : null), countdown(c.due, { level: c.level }), used(c))));
}

function drawMasses(o) {
  return list(o.masses).map((m) => h("div", { class: "mass" },
    h("div", { class: "row mass-head" }, h("a", { href: `/console/incidents/${m.incident || ""}`.replace(/\/$/, "") }, m.incident ? `${m.id}, incident ${m.incident}` : m.id), badge(m.state)),
    progress({ ...m, label: `Revocation ${m.id}` }), list(m.tiers).length > 1 ? tiers(m.tiers, { label: `Tiers of ${m.id}` }) : null));
}

function drawIncidents(o) {
  return table({ caption: "Open incidents", rows: list(o.incidents), class: "overview-incidents",
    empty: empty("No incident is open.", "One is opened from a problem report, from a finding of the watch, or by hand."),
    columns: [{ name: "Incident", head: true, class: "wide", value: (i) => h("a", { href: `/console/incidents/${i.id}` }, [h("span", { class: "quiet" }, i.id), " ", i.title]) }, { name: "State", value: (i) => badge(i.state, "info") },
      { name: "Severity", value: (i) => i.severity }, { name: "Opened", class: "narrow", value: (i) => time(i.since, { ago: true }) }, { name: "Next clock", num: true, value: (i) => (i.next_due ? countdown(i.next_due) : null) }] });
}

function drawProblems(o) {
  const p = o.problems ?? {};
  if (!p.open && !p.unread) return empty("No problem report waits.", "Reports come by the public form and by mail; the 24 hours start when they arrive.");
  return h("div", { class: "figures" }, figure(number(p.open), "open"), figure(number(p.unread), "unread", { level: p.unread ? "warning" : null }),
    p.oldest_due ? figure(countdown(p.oldest_due), "until the first answer is due") : null);
}

function rateOf(o) {
  const rows = list(o.rates?.minutes);
  const sum = (k) => rows.slice(-60).reduce((n, r) => n + r[k], 0);
  return { rows, issued: sum(1), revoked: sum(2), failed: sum(3), minute: rows.length > 1 ? rows[rows.length - 2][1] : 0 };
}

function drawRateFigures(o) {
  const r = rateOf(o);
  return h("div", { class: "figures" }, figure(number(r.minute), "issued in the last minute"), figure(number(r.issued), "issued in the last hour"), figure(number(r.revoked), "revoked"),
    figure(number(r.failed), "failed", { level: r.failed > 0 && r.failed > r.issued / 20 ? "bad" : null }));
}

function ratePlot(o) {
  const r = rateOf(o);
  return { label: `Certificates each minute, three hours: ${plural(r.issued, "certificate")} issued, ${number(r.revoked)} revoked and ${number(r.failed)} failed in the last hour`, step: "minute", x: r.rows.map((m) => m[0]), height: 180, least: 8, note: "last 3 h, each minute",
    series: [{ name: "Issued", values: r.rows.map((m) => m[1]), kind: "area", tone: "a" }, { name: "Revoked", values: r.rows.map((m) => m[2]), kind: "line", tone: "revoked" }, { name: "Failed", values: r.rows.map((m) => m[3]), kind: "line", tone: "bad" }] };
}

function expiryPlot(o) {
  const rows = list(o.expiry);
  const soon = rows.slice(0, 30).reduce((n, r) => n + r[1], 0);
  return { label: `Certificates that expire each day, 120 days: ${number(soon)} valid ones in the next 30 days`, step: "day", stack: true, x: rows.map((d) => d[0]), height: 160, note: "next 120 days",
    series: [{ name: "Revoked", values: rows.map((d) => d[2]), kind: "bars", tone: "revoked" }, { name: "Valid", values: rows.map((d) => d[1]), kind: "bars", tone: "b" }] };
}

function drawCounts(o) {
  const c = o.counts ?? {};
  if (!c.total) return empty("No certificate yet.", "Point an ACME client at this CA's directory.", linkButton("Settings", "/console/settings"));
  return [h("div", { class: "figures" }, figure(number(c.valid), "valid certificates"), figure(number(c.total), "in the book")),
    stack([{ name: "Valid", value: c.valid, tone: "a", href: "/console/inventory?status=valid" }, { name: "Revoked", value: c.revoked, tone: "revoked", href: "/console/inventory?status=revoked" }, { name: "Expired", value: c.expired, tone: "rest", href: "/console/inventory?status=expired" }], { label: "Certificates by status" })];
}

const share = (row) => row.valid ?? row.count ?? row.total ?? 0;
function drawShares(rows, member) {
  const all = list(rows).map((r) => ({ name: r.name ?? r[member] ?? "other", value: share(r) })).sort((a, b) => b.value - a.value);
  const total = all.reduce((n, r) => n + r.value, 0);
  if (!total) return h("p", { class: "quiet" }, "None is valid.");
  return h("ul", { class: "shares" }, all.slice(0, 8).map((r, i) => h("li", null, h("a", { href: `/console/inventory?${member}=${encodeURIComponent(r.name)}&status=valid` }, r.name), h("span", { class: "num" }, number(r.value)), h("span", { class: "num quiet" }, percent(r.value, total)),
    h("span", { class: "share-bar", "aria-hidden": "true" }, h("span", { "data-tone": TONES[Math.min(i, 1)], style: { width: `${(100 * r.value) / all[0].value}%` } })))));
}

function drawFreshness(o) {
  const rows = [...list(o.crls).map((r) => ({ ...r, kind: "CRL" })), ...list(o.ocsp).map((r) => ({ issuer: "those with OCSP", this_update: r.answered, ...r, kind: "OCSP" }))];
  const rank = { bad: 0, warning: 1 };
  const lvl = (r) => (r.state === "fresh" ? "ok" : r.state === "stale" || r.state === "due" ? "warning" : "bad");
  return table({ caption: "CRLs and OCSP responses by issuer", rows: rows.sort((a, b) => (rank[lvl(a)] ?? 2) - (rank[lvl(b)] ?? 2)), empty: empty("Nothing is published yet.", "The publisher signs the first CRLs when the family starts."),
    columns: [{ name: "Issuer", head: true, class: "wide", value: (r) => r.issuer }, { name: "Kind", class: "nowrap", value: (r) => (r.parts > 1 ? `${r.kind}, ${number(r.parts)} parts` : r.kind) }, { name: "State", value: (r) => badge(r.state, lvl(r)) },
      { name: "Signed", class: "narrow", value: (r) => (r.this_update ? time(r.this_update, { ago: true }) : null) }, { name: "Good for", num: true, class: "narrow", value: (r) => (r.next_update ? countdown(r.next_update, { began: r.this_update, level: lvl(r) }) : null) }] });
}

function drawQueues(o) {
  const q = o.queues ?? {};
  const states = Object.entries(q.orders ?? {}).filter(([, n]) => n > 0);
  return facts([["Orders", states.length ? states.map(([state, n], i) => [i ? ", " : null, number(n), ` ${state}`]) : "none under way"],
    ...[["validations", "Validations"], ["notices", "Notices to send"], ["mail", "Mail to send"], ["hooks", "Hooks to call"]].map(([k, name]) => [name, q[k] === undefined || q[k] === null ? null : number(q[k])])]);
}

const drawRoles = (o) => h("ul", { class: "roles" }, list(o.roles).map((r) => h("li", null, mark(r.up ? "ok" : "bad"), r.role, r.up ? h("span", { class: "spoken" }, " is running") : h("b", { class: "bad" }, r.state || "down"))));

// Each part: which members it shows, where, and how.
const PARTS = [
  { key: "now", title: "What to look at", class: "span-7", of: (o) => [o.findings, o.worst, o.held, o.halts, o.roles, o.next, o.counts?.behind], draw: drawTroubles, level: (o) => (["bad", "warning"].includes(troubles(o)[0]?.level) ? troubles(o)[0].level : null) },
  { key: "clocks", title: "Clocks", class: "span-5", of: (o) => o.next, draw: drawClocks },
  { key: "masses", title: "Revocation under way", class: "span-12", of: (o) => o.masses, draw: drawMasses, when: (o) => list(o.masses).length > 0 },
  { key: "incidents", title: "Incidents", class: "span-8 flush", of: (o) => o.incidents, draw: drawIncidents },
  { key: "problems", title: "Problem reports", class: "span-4", of: (o) => o.problems, draw: drawProblems },
  { key: "rates", title: "Issuance", class: "span-8", of: (o) => o.rates, draw: drawRateFigures, plot: ratePlot },
  { key: "family", title: "Queues and processes", class: "span-4", of: (o) => [o.queues, o.roles], draw: (o) => [drawQueues(o), drawRoles(o)] },
  { key: "fresh", title: "CRLs and OCSP", class: "span-8 flush", of: (o) => [o.crls, o.ocsp], draw: drawFreshness },
  { key: "counts", title: "Certificates", class: "span-4", of: (o) => o.counts, draw: drawCounts },
  { key: "expiry", title: "Expiry", class: "span-6", of: (o) => o.expiry, draw: () => null, plot: expiryPlot },
  { key: "profiles", title: "Valid, by profile", class: "span-3", of: (o) => o.by_profile, draw: (o) => drawShares(o.by_profile, "profile") },
  { key: "issuers", title: "Valid, by issuer", class: "span-3", of: (o) => o.by_issuer, draw: (o) => drawShares(o.by_issuer, "issuer") },
];

const shown = { places: new Map(), grid: null };

function place(part, o) {
  const body = h("div");
  const graph = part.plot && part.of(o) ? plot(part.plot(o)) : null;
  const el = card(part.title, [body, graph], { class: part.class });
  el.dataset.part = part.key;
  const p = { el, body, graph, was: null };
  shown.places.set(part.key, p);
  return p;
}

function update(o) {
  for (const part of PARTS) {
    const p = shown.places.get(part.key) ?? place(part, o);
    const now = JSON.stringify(part.of(o) ?? null);
    if (now === p.was) continue;
    p.was = now;
    p.el.hidden = part.when ? !part.when(o) : false;
    const level = part.level?.(o);
    if (level) p.el.dataset.level = level;
    else delete p.el.dataset.level;
    redraw(p.body, part.draw(o));
    p.graph?.update(part.plot(o));
  }
}

export async function show(ctx) {
  const o = ctx.overview ?? (await get("overview", null, { signal: ctx.signal }));
  setNow(o.now);
  shown.places = new Map();
  update(o);
  shown.grid = h("div", { class: "cards overview" }, PARTS.map((part) => shown.places.get(part.key).el));
  return h("div", null, head("Overview"), shown.grid);
}

export function live(event) {
  if (event.type === "overview" && shown.grid?.isConnected) update(event.data);
}
