// One certificate: what it says, why its names were allowed, what was found in it, what became of it; and how it is revoked.
import { ask, get } from "../api.js";
import { announce, badge, button, card, copyable, countdown, download, facts, failure, findingsView, h, head, lazily, more, notice, number, plural, redraw, resultLevel, short, tally, time, timeline } from "../ui.js";
import { namesCard } from "./certificate_names.js";
import { revoke } from "./certificate_revoke.js";

const REPLACEMENT = { in_use: "A later certificate for its names is in use.", deployed: "A later certificate for its names was seen, and in part this one.", not_seen: "A later certificate was issued, and nobody was seen to use it.", silent: "No later certificate is known." };
const HOW = { "acme-replaces": "its client said so when it ordered", "same-names": "the same account, the same names", "same-key": "the same key" };

const linkTo = (c) => h("a", { href: `/console/certificates/${c.serial}?issuer=${encodeURIComponent(c.issuer)}` }, short(c.serial, 8, 6));
const asState = (c) => badge(c.status);

function validity(c) {
  const left = c.status === "valid" ? [" ", h("span", { class: "quiet" }, "(ends in "), countdown(c.not_after, { words: true, level: "quiet" }), h("span", { class: "quiet" }, ")")] : null;
  return [time(c.not_before), " to ", time(c.not_after), left];
}

function fieldsCard(c) {
  return card("Fields", [facts([
    ["Subject", c.subject || h("span", { class: "quiet" }, c.subject === null ? "not in the book: brought in as serial and dates" : "empty: the names are in the extension")],
    ["Issuer", [c.issuer_name, h("span", { class: "quiet" }, ` (${c.issuer})`)]],
    ["Serial number", copyable(c.serial)],
    ["Validity", validity(c)],
    ["Key", [`${c.key_type}, ${number(c.key_bits)} bits`, h("div", null, copyable(c.spki_sha256, short(c.spki_sha256, 12, 8)), h("a", { class: "small", href: "/console/inventory?q=" + c.spki_sha256 }, "others of this key"))]],
    ["Signature", c.signature],
    ["Fingerprint", copyable(c.sha256, short(c.sha256, 12, 8))],
    ["Extensions", c.extensions ? h("ul", { class: "chips" }, c.extensions.map((e) => h("li", null, e.name, e.critical ? h("span", { class: "critical" }, " critical") : null))) : null],
  ])]);
}

function issuedCard(c) {
  const brought = c.evidence_status === "unknown";
  return card("How it came to be", facts([
    ["Issued", time(c.issued)],
    ["Profile", c.profile],
    ["Account", c.account === "0" ? "none (made by an operator or the family)" : h("a", { href: "/console/accounts/" + c.account }, c.account)],
    ["Order", c.order === "0" ? null : c.order],
    ["Fetched by the client", c.delivered ? "yes" : badge("not yet", "warning")],
    ["Rules and build", [h("code", null, c.rule_set), " ", h("span", { class: "quiet" }, c.build)]],
    ["Weakest method", c.worst_method || null],
    ["Oldest validation", c.oldest_validation ? time(c.oldest_validation) : null],
    ["Oldest CAA check", c.oldest_caa ? time(c.oldest_caa) : null],
    brought ? ["Evidence", "not known: brought in from elsewhere"] : null,
  ]));
}

function chainCard(c) {
  return card("Chain", h("ol", { class: "chain" },
    h("li", null, h("b", null, c.names.length ? c.names[0].name : c.subject || "this certificate"), h("span", { class: "quiet" }, " ends "), time(c.not_after, { date: true })),
    c.chain.map((i) => h("li", null, h("b", null, i.issuer), h("span", { class: "quiet" }, " ends "), time(i.not_after, { date: true }), " ", button("PEM", { class: "plain", "aria-label": `PEM of ${i.issuer}`, onclick: () => download(`${i.issuer}.pem`, i.pem, "application/x-pem-file") })))));
}

/** Where the revocation stands now: undefined as not revoked, null as on no CRL yet. */
function inCrl(c) {
  if (c.crl === undefined) return null;
  if (c.crl === null) return c.not_after < new Date().toISOString() ? "not needed: it had ended" : badge("not yet: the next is being made", "warning");
  const which = c.crl.shard ? `part ${c.crl.shard}` : "the complete one";
  const fetched = c.crl.fetched === "good" ? [", fetched back ", time(c.crl.fetched_at)] : c.crl.fetched === "bad" ? [" ", badge("fetching it back failed", "bad")] : null;
  return [badge("since", "ok"), " ", time(c.crl.this_update), h("div", { class: "quiet small" }, `${which}, number ${c.crl.number}`, fetched)];
}

function revocationCard(c) {
  const r = c.revocation;
  if (!r && !c.clocks.length && !c.hold) return null;
  return card("Revocation", [
    r ? facts([["Revoked", time(r.revoked)], ["Reason", r.reason_name], ["By", r.by], ["Written down", r.recorded === r.revoked ? null : time(r.recorded)], ["In its CRL", inCrl(c)]]) : null,
    c.hold ? notice("warning", h("strong", null, "May not be revoked: "), c.hold.reason, c.hold.reference ? ` (${c.hold.reference})` : "", ", since ", time(c.hold.since), ` by ${c.hold.by}`) : null,
    c.clocks.map((k) => facts([["Cause", [k.cause, h("span", { class: "quiet small" }, ` ${k.section}`)]], ["Known since", time(k.aware)], ["Must be revoked by", [time(k.must), r ? null : [" ", countdown(k.must, { began: k.aware })]]], ["Aimed at", k.should ? time(k.should) : null], ["Late because", k.late_because || null]])),
  ], { level: r ? null : "warning" });
}

const severe = (findings) => findings.some((f) => f.result === "error" || f.result === "fatal");

function lintCard(c, ctx) {
  const then = c.findings;
  const told = then === null ? h("p", { class: "quiet" }, "What was found when it was issued is not known.") : then.length
    ? [h("p", null, "When it was issued: ", h("span", { class: "badges" }, tally(then))), h("ul", { class: "plain-list" }, then.map((f) => h("li", null, badge(f.result === "warn" ? "warning" : f.result, resultLevel(f.result)), " ", h("code", null, f.rule))))]
    : h("p", null, badge("nothing found when it was issued", "ok"));
  const now = h("details", { class: "more" }, h("summary", null, "By the rules of today, with the bytes"));
  lazily(now, async () => {
    try {
      const doc = await ask("lint", JSON.stringify({ object: c.pem, ...(c.chain[0]?.pem ? { issuer: c.chain[0].pem } : {}) }), { type: "application/json", params: { der: true }, signal: ctx.signal });
      return findingsView(doc);
    } catch (e) {
      return failure(e);
    }
  });
  const judged = c.judgement?.rules ?? [];
  const evidence = judged.length ? more(`Rules that look at the evidence (${number(judged.length)})`, h("table", { class: "grid tight" }, h("caption", { class: "spoken" }, "Rules that look at evidence"),
    h("thead", null, h("tr", null, ["What the rule asks", "Then", "Now"].map((t) => h("th", { scope: "col" }, t)))),
    h("tbody", null, judged.map((r) => h("tr", null, h("th", { scope: "row" }, r.asks, h("div", { class: "quiet small" }, `${r.citation}, ${r.rule}`)), h("td", null, r.then), h("td", null, badge(r.now, resultLevel(r.now)))))))) : null;
  return card("Lint findings", [told, c.pem ? now : null, evidence], { level: then && severe(then) ? "warning" : null, actions: c.pem ? [h("a", { href: `/console/lint?serial=${c.serial}&issuer=${encodeURIComponent(c.issuer)}` }, "Open in the lint explorer")] : null });
}

function replacementCard(c, endpoints) {
  const seen = endpoints?.endpoints ?? [];
  const other = (list, words) => (list.length ? [words, h("ul", { class: "plain-list" }, list.map((o) => h("li", null, linkTo(o), h("span", { class: "quiet small" }, ` ${HOW[o.how] ?? o.how}, since `), time(o.since, { seconds: false }))))] : null);
  return card("Replacement", [
    h("p", null, badge(c.replacement, c.replacement === "in_use" ? "ok" : "quiet"), " ", REPLACEMENT[c.replacement] ?? ""),
    other(c.replaced_by, h("h3", null, "Replaced by")),
    other(c.replaces, h("h3", null, "It replaces")),
    seen.length ? [h("h3", null, "Where it was seen"), h("ul", { class: "plain-list" }, seen.slice(0, 8).map((e) => h("li", null, h("code", null, `${e.name}:${e.port}`), " ", h("span", { class: "quiet small" }, "last "), time(e.seen ?? e.looked, { seconds: false }))))] : h("p", { class: "quiet small" }, "No scan has seen it in use."),
  ]);
}

const KIND = { "certificate.issued": "Issued", "certificate.revoked": "Revoked", "certificate.clock": "A clock began", "certificate.revocation-changed": "Its revocation was changed", "certificate.refused": "Refused" };
const LEVELS = { "certificate.issued": "ok", "certificate.revoked": "bad", "certificate.clock": "warning", "certificate.revocation-changed": "bad", "certificate.refused": "bad" };

/** What the events say, and what the certificate itself tells, in one line of time. */
function historyOf(c, events) {
  const told = new Set((events ?? []).map((e) => e.kind));
  const list = [
    { at: c.not_before, title: "Valid from here", level: "quiet" },
    { at: c.not_after, title: c.status === "expired" ? "Expired" : "Will expire", level: "quiet" },
    ...c.replaced_by.map((r) => ({ at: r.since, title: ["Replaced by ", linkTo(r)], text: HOW[r.how] ?? r.how, level: "info" })),
    ...c.replacement_steps.map((s) => ({ at: s.since, title: `Replacement: ${s.state.replaceAll("_", " ")}`, level: "info" })),
    ...(told.has("certificate.clock") ? [] : c.clocks).map((k) => ({ at: k.aware, title: `Its clock began: ${k.cause}`, text: k.section, level: "warning" })),
    ...(events ?? []).map((e) => ({ at: e.time, title: KIND[e.kind] ?? e.kind, text: [e.body?.cause, e.body?.reason, e.body?.detail, e.body?.by ?? e.body?.operator].filter((x) => typeof x === "string" && x).join(", "), level: LEVELS[e.kind] ?? "info" })),
  ];
  if (!told.has("certificate.issued")) list.push({ at: c.issued, title: c.evidence_status === "unknown" ? "Brought in" : "Issued", level: "ok" });
  if (c.revocation && ![...told].some((k) => k.includes("revo"))) list.push({ at: c.revocation.revoked, title: "Revoked", text: `${c.revocation.reason_name}, by ${c.revocation.by}`, level: "bad" });
  return list.filter((e) => e.at).sort((a, b) => (a.at < b.at ? 1 : -1)).map((e) => ({ ...e, time: time(e.at, { seconds: false }) }));
}

async function ifAllowed(question) {
  try {
    return await question;
  } catch (e) {
    if (e.status === 403 || e.status === 404 || e.status === 400) return null;
    throw e;
  }
}

function historyCard(c, events) {
  return card("History", [timeline(historyOf(c, events?.events)), events === null ? h("p", { class: "quiet small" }, "Your roles do not see events; this is what the certificate itself tells.") : null]);
}

let view = null; // what waits for its CRL: {event, look()}

/** Looks again at each event of the family until the CRL has it; the card alone is drawn anew. */
function waitForCrl(c, query, place, ctx) {
  const waiting = (now) => now.crl === null && now.not_after > new Date().toISOString();
  view = waiting(c) ? { event: JSON.stringify(ctx.overview?.event), async look() {
    const now = await get("certificates/" + c.serial, query, { signal: ctx.signal });
    if (waiting(now) || ctx.signal.aborted) return;
    view = null;
    redraw(place, revocationCard(now));
    announce("Its CRL has the revocation");
  } } : null;
  ctx.signal.addEventListener("abort", () => { view = null; }, { once: true });
}

/** Something happened in the family: maybe a CRL was published. */
export function live(event) {
  const newest = JSON.stringify(event.data.event);
  if (!view || newest === view.event) return;
  view.event = newest;
  view.look().catch((e) => { if (e.name !== "AbortError") console.error(e); });
}

const pemOf = (c) => [c.pem, ...c.chain.slice(0, -1).map((i) => i.pem)].join("");

export async function show(ctx) {
  const [, serial] = ctx.match;
  const query = { issuer: ctx.params.get("issuer"), evidence: true, der: true };
  const c = await get("certificates/" + serial, query, { signal: ctx.signal });
  const [events, endpoints] = await Promise.all([
    ctx.may("auditor", "operator", "approver") ? ifAllowed(get("events", { id: `certificate ${c.issuer} ${c.serial}`, limit: 50 }, { signal: ctx.signal })) : null,
    ifAllowed(get("usage/endpoints", { issuer: c.issuer, serial: c.serial, limit: 20 }, { signal: ctx.signal })),
  ]);
  const revocation = h("div", { class: "stacked" }, revocationCard(c));
  waitForCrl(c, { issuer: c.issuer }, revocation, ctx);
  const title = c.names.length ? c.names[0].name : c.subject || c.serial;
  const canRevoke = ctx.may("operator") && c.status === "valid";
  const actions = [
    c.pem ? button("Download PEM", { onclick: () => download(`${c.serial}.pem`, pemOf(c), "application/x-pem-file") }) : null,
    canRevoke ? button("Revoke …", { kind: "danger", onclick: async () => { if (await revoke(ctx, c, endpoints?.endpoints ?? [])) ctx.reload(); } }) : null,
  ];
  return h("div", { class: "certificate" },
    head(title, { trail: [["Inventory", "/console/inventory"]], state: asState(c), actions, text: c.names.length > 1 ? `and ${plural(c.names.length - 1, "other name")}; serial ${c.serial}` : `serial ${c.serial}` }),
    h("div", { class: "grid-2" },
      h("div", { class: "stacked" }, revocation, fieldsCard(c), lintCard(c, ctx), chainCard(c)),
      h("div", { class: "stacked" }, namesCard(c), replacementCard(c, endpoints), issuedCard(c), historyCard(c, events))));
}
