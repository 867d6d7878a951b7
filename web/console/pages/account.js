// One account: who it is, how ready it is to replace its certificates, what it has, what it ordered last.
import { ask, change, get, source } from "../api.js";
import { badge, button, card, copyable, empty, facts, failure, h, head, notice, number, plural, short, table, time, toast } from "../ui.js";
import { contactsText, contactText, WITHHELD } from "./accounts.js";
import { calls, factWords, tierBadge } from "./readiness_parts.js";

const MOST = 1000; // the family counts no further for one answer

async function orNull(question) {
  try {
    return await question;
  } catch (e) {
    if (e.status === 403 || e.status === 404) return null;
    throw e;
  }
}

const some = (n) => (n >= MOST ? `${number(MOST)} or more` : number(n));

function whoCard(a) {
  return card("Who", facts([
    ["State", badge(a.status, a.status === "valid" ? "ok" : "quiet")],
    ["Subscriber", a.subscriber || null],
    ["Contacts", a.contacts === null ? h("span", { class: "quiet" }, WITHHELD) : a.contacts?.length ? h("ul", { class: "plain-list" }, a.contacts.map((c) => h("li", null, contactText(c)))) : "none"],
    ["Created", time(a.created)],
    ["Agreed to the terms", a.terms_agreed ? time(a.terms_agreed) : "no"],
    ["Key", a.alg ? [a.alg, " ", copyable(a.thumbprint, short(a.thumbprint, 8, 6))] : "none: certificates on request (CSR)"],
    ["Came from", a.address ? h("code", null, a.address) : null],
    ["Certificates", h("a", { href: `/console/inventory?view=scope&scope=${encodeURIComponent(`account = ${a.id}`)}` }, some(a.certificates))],
    ["Orders", some(a.orders)],
  ]));
}

function readyCard(r) {
  if (!r) return null;
  return card("Readiness", [
    h("p", null, tierBadge(r.tier), " ", r.means, "."),
    r.advice ? h("p", { class: "quiet" }, r.advice) : null,
    facts([["Because", factWords(r.facts)], ["Since", time(r.since)], ["Client", r.client || null], ["Until", r.lapses ? time(r.lapses) : null], ["Unattended renewals", r.renewals ? [number(r.renewals), r.renewed ? [", last ", time(r.renewed)] : null] : null], ["Hold-outs", r.holdouts?.length || null]]),
  ], { actions: [h("a", { href: "/console/readiness/" + r.account }, "All of it")] });
}

function certificatesOf(ctx, id) {
  return table({
    caption: "Certificates of the account", unit: ["certificate"],
    columns: [
      { name: "Names", head: true, class: "wide", value: (c) => h("a", { href: `/console/certificates/${c.serial}?issuer=${encodeURIComponent(c.issuer)}` }, c.names[0] ?? short(c.serial), c.names.length > 1 ? h("span", { class: "quiet" }, ` and ${number(c.names.length - 1)} more`) : null) },
      { name: "State", class: "narrow", value: (c) => badge(c.status) },
      { name: "Issued", class: "narrow", value: (c) => time(c.issued, { seconds: false }) },
      { name: "Ends", class: "narrow", value: (c) => time(c.not_after, { seconds: false }) },
      { name: "Profile", class: "narrow", value: (c) => c.profile },
    ],
    source: async (cursor) => {
      const doc = await ask("scope/list", `account = ${id}`, { params: { order: "-issued", limit: 20, cursor }, signal: ctx.signal });
      return { rows: doc.certificates, next: doc.next, doc };
    },
    empty: empty("It has no certificate yet.", "The first order of its client shows up here."),
  });
}

function pausesCard(ctx, list) {
  if (!list?.length) return null;
  const resume = (p, b) => async () => {
    b.disabled = true;
    try {
      await change(`pauses/${p.account}/resume`, { name: p.name });
      toast(`${p.name} may be tried again.`);
      ctx.reload();
    } catch (e) {
      b.replaceWith(failure(e));
    }
  };
  return card("Paused names", h("ul", { class: "plain-list" }, list.map((p) => {
    const b = ctx.may("operator") ? button("Resume", { class: "plain" }) : null;
    b?.addEventListener("click", resume(p, b));
    return h("li", null, h("b", null, p.name), h("span", { class: "quiet small" }, ` after ${plural(p.failures ?? 0, "failure")}, since `), time(p.paused, { seconds: false }), " ", b);
  })), { level: "warning" });
}

export async function show(ctx) {
  const [, id] = ctx.match;
  const options = { signal: ctx.signal };
  const a = await get("accounts/" + id, null, options);
  const [ready, pauses, orders] = await Promise.all([orNull(get("readiness/" + id, null, options)), orNull(get("pauses", { account: id, limit: 20 }, options)), orNull(get("orders", { account: id, limit: 1 }, options))]);
  return h("div", { class: "page-stack" },
    head(`Account ${id}`, { trail: [["Accounts", "/console/accounts"]], state: badge(a.status, a.status === "valid" ? "ok" : "quiet"), text: a.subscriber || contactsText(a.contacts) || "It gave no contact." }),
    a.status !== "valid" ? notice("info", `This account is ${a.status}: it can order nothing any more.`) : null,
    h("div", { class: "grid-2" }, h("div", { class: "stacked" }, whoCard(a), pausesCard(ctx, pauses?.pauses)), h("div", { class: "stacked" }, readyCard(ready), ready?.calls?.length ? card("Calls", calls(ready.calls)) : null)),
    card("Certificates, newest first", certificatesOf(ctx, id), { class: "flush" }),
    orders?.orders?.length ? card("Orders, oldest first", table({ caption: "Orders", unit: ["order"], source: source("orders", "orders", { account: id, limit: 10 }, options), columns: [
      { name: "Order", head: true, class: "narrow", value: (o) => o.id }, { name: "State", class: "narrow", value: (o) => badge(o.status) }, { name: "Names", class: "wide", value: (o) => (o.identifiers ?? []).map((i) => (Array.isArray(i) ? i[1] : i.value ?? i)).join(", ") },
      { name: "Profile", class: "narrow", value: (o) => o.profile }, { name: "Created", class: "narrow", value: (o) => time(o.created) }] }), { class: "flush" }) : null);
}
