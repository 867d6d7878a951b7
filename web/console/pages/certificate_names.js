// The names of a certificate, each with the evidence for it: who proved it, when, by which rule, from where, and what CAA and DNSSEC said.
import { badge, card, empty, facts, h, mark, more, number, plural, spoken, time } from "../ui.js";

const MANY = 12; // so many are shown at once
const CAA = { permitted: "ok", forbidden: "bad", failed: "bad", unchecked: "quiet", "": "quiet" };
const SEAL = { intact: "ok", broken: "bad", missing: "warning", unknown: "quiet" };

const dnssecLevel = (word) => (word === "secure" ? "ok" : word === "bogus" ? "bad" : "quiet");

/** Each place that was asked; agreeing and dissenting have a bit for each, in their order. */
function places(check) {
  const list = (check.perspectives ?? "").split(",").filter(Boolean);
  if (!list.length) return null;
  const said = list.map((name, i) => ({ name, word: (check.dissenting >> i) & 1 ? "disagreed" : (check.agreeing >> i) & 1 ? "agreed" : "no answer" }));
  return h("span", { class: "badges" }, said.map((p) => h("span", null, mark(p.word === "agreed" ? "ok" : p.word === "disagreed" ? "bad" : "quiet"), ` ${p.name}`, p.word === "agreed" ? spoken(": agreed") : `: ${p.word}`)));
}

/** What the others saw, and whether what they signed is theirs. */
function corroboration(check) {
  const c = check.corroboration;
  if (!c?.perspectives?.length) return null;
  const one = (p) => h("li", null, badge(p.agrees ? "agreed" : "disagreed", p.agrees ? "ok" : "bad"), " ", h("b", null, p.name), h("span", { class: "quiet small" }, ` ${p.region}, signature ${p.signature}`), p.why ? h("div", { class: "quiet small" }, p.why) : null);
  return more(`Corroboration: ${c.count} agree, in ${plural(c.regions, "region")}`, c.why ? h("p", { class: "small" }, c.why) : null, h("ul", { class: "plain-list" }, c.perspectives.map(one)));
}

function rule(check) {
  const r = check.rule;
  if (!r?.known) return check.rule_set;
  return [`${r.section} ${r.title}`, h("div", { class: "quiet small" }, `${r.document}, ${check.rule_set}`, r.in_force_then ? "" : "; not in force then", r.in_force_now ? "" : "; not in force now")];
}

/** What the resolver and the server said, as it was kept. */
function statement(check) {
  const s = check.statement;
  if (!s) return null;
  return facts([
    ["Asked", s.asked ? h("code", null, s.asked) : null],
    ["Address", s.address_used ? [h("code", null, s.address_used), s.addresses.length > 1 ? h("span", { class: "quiet small" }, ` of ${s.addresses.join(", ")}`) : null] : null],
    ["Answered", s.http_status ? `HTTP ${s.http_status} in ${number(s.duration_ms)} ms` : `in ${number(s.duration_ms)} ms`],
    ["Redirects", s.redirects.length ? s.redirects.map((r) => h("div", null, h("code", null, typeof r === "string" ? r : r.to ?? r.url ?? JSON.stringify(r)))) : null],
    [check.method.startsWith("dns") ? "DNS records" : "Read there", s.records.length ? s.records.map((r) => h("div", null, h("code", null, typeof r === "string" ? r : JSON.stringify(r)))) : null],
    ["CAA", s.caa?.checked ? [s.caa.permitted ? "permitted" : "forbidden", s.caa.records.length ? `: ${s.caa.records.map((r) => (typeof r === "string" ? r : JSON.stringify(r))).join("; ")}` : ", no record", h("span", { class: "quiet small" }, ` (looked up ${s.caa.looked_up.join(", ")})`)] : null],
    ["DNSSEC", s.dnssec_why ? `${s.dnssec}: ${s.dnssec_why}` : null],
    ["Resolver", check.resolver ? h("code", null, check.resolver) : null],
    ["Build", check.build],
  ], { class: "tight" });
}

function checkOf(check) {
  return h("li", { class: "check", "data-level": check.ok ? "ok" : "bad" },
    h("p", null, badge(check.ok ? "proven" : "not proven", check.ok ? "ok" : "bad"), " ", h("b", null, check.method), " at ", time(check.checked), check.relied_on ? h("span", { class: "quiet small" }, " · the certificate rests on this") : null),
    facts([
      ["Rule", rule(check)],
      ["CAA", check.caa ? [badge(check.caa, CAA[check.caa] ?? "quiet"), check.caa_checked && check.caa_checked !== check.checked ? [" at ", time(check.caa_checked)] : null] : null],
      ["DNSSEC", check.dnssec ? badge(check.dnssec, dnssecLevel(check.dnssec)) : null],
      ["Seen from", places(check)],
      ["Usable until", check.usable_until ? time(check.usable_until) : null],
      ["Record", check.integrity ? badge(check.integrity, SEAL[check.integrity] ?? "quiet") : null],
      ["Problem", check.problem ? check.problem.detail ?? check.problem.type : null],
    ], { class: "tight" }),
    check.statement ? more("What was asked and answered", statement(check)) : null, corroboration(check));
}

function nameRow(n) {
  const checks = n.checks ?? [];
  const relied = checks.find((c) => c.relied_on) ?? checks[checks.length - 1];
  const line = [h("b", { class: "name" }, n.name), " ", relied ? h("span", { class: "quiet small" }, `${relied.method}, `, time(relied.checked, { seconds: false })) : h("span", { class: "quiet small" }, n.authorization === "0" ? "no evidence: the family's own, or brought in" : `authorization ${n.authorization}`)];
  if (!checks.length) return h("li", { class: "name-row" }, line);
  return h("li", { class: "name-row" }, h("details", null, h("summary", null, line), h("ol", { class: "checks" }, checks.map(checkOf)),
    h("p", { class: "quiet small" }, `Authorization ${n.authorization}, ${n.authorization_status ?? "not known"}`, n.validated ? [", validated ", time(n.validated)] : null, n.authorization_expires ? [", good until ", time(n.authorization_expires)] : null)));
}

/** c: the document of GET certificates/SERIAL?evidence=1. */
export function namesCard(c) {
  const rows = c.names.map(nameRow);
  const rest = rows.slice(MANY);
  return card(`Names (${number(c.names.length)})`, c.names.length
    ? [h("ul", { class: "names" }, rows.slice(0, MANY)), rest.length ? more(`${plural(rest.length, "more name")}`, h("ul", { class: "names" }, rest)) : null]
    : empty("It has no names.", "Nothing in it is matched against an address."));
}
