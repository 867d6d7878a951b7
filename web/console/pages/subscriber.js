// One subscriber's readiness: what is known, why it counts, what would better it; contacts, calls, links, and what an operator may write down.
import { change, get } from "../api.js";
import { badge, button, card, copyable, dialog, empty, facts, field, form, h, head, linkButton, notice, number, select, short, table, time, toast } from "../ui.js";
import { contactText, WITHHELD } from "./accounts.js";
import { calls, factWords, tierBadge } from "./readiness_parts.js";

const OUTCOMES = [["reached", "reached"], ["will-replace", "will replace"], ["no-answer", "no answer"], ["refuses", "refuses"], ["wrong-number", "wrong number"]];

async function call(ctx, r) {
  const done = await form({
    title: "A call", yes: "Write it down", fields: [
      field("With whom", h("input", { name: "who", required: true, maxlength: "200", autocomplete: "off" })),
      field("What came of it", select("outcome", OUTCOMES, "reached")),
      field("Note", h("textarea", { name: "note", rows: "3", maxlength: "1000" })),
      field("Again (UTC)", h("input", { name: "again", type: "datetime-local" }), { hint: "Empty: not needed" }),
    ],
    run: (data) => change(`readiness/${r.account}/call`, { who: data.get("who"), outcome: data.get("outcome"), note: data.get("note"), ...(data.get("again") ? { again: new Date(data.get("again") + "Z").toISOString().slice(0, 19) + "Z" } : {}) }),
  });
  if (done) { toast("The call is written down."); ctx.reload(); }
}

async function write(ctx, r) {
  const done = await form({ title: "A letter to verify its contacts", yes: "Send", text: "Each contact gets a letter with a link; who opens it is verified, and the subscriber counts as reachable.", fields: [], run: () => change(`readiness/${r.account}/write`, {}) });
  if (done) { toast("The letters are on their way."); ctx.reload(); }
}

async function link(r) {
  const answer = await form({
    title: "A link to replace certificates", yes: "Make the link", text: "Its holder sees this subscriber's certificates and can ask for new ones, without an account's key.",
    fields: [field("Good until", h("input", { name: "expires", type: "date", required: true, value: new Date(Date.now() + 7 * 86400e3).toISOString().slice(0, 10) }))],
    run: (data) => change(`readiness/${r.account}/link`, { expires: `${data.get("expires")}T00:00:00Z` }),
  });
  if (!answer?.url) return;
  const d = dialog("The link", [notice("warning", "It is shown this once. Hand it to the subscriber alone."), copyable(answer.url)]);
  d.foot.append(button("Done", { kind: "primary", onclick: () => d.close(true) }));
  await d.closed;
}

async function mark(ctx, r) {
  const done = await form({
    title: r.cannot_tolerate ? "It can replace after all" : "It says that it cannot replace in time", yes: "Write it down",
    fields: [field("Why", h("input", { name: "reason", required: !r.cannot_tolerate, maxlength: "300" }))],
    run: (data) => change(`readiness/${r.account}/set`, { "cannot-tolerate": !r.cannot_tolerate, reason: data.get("reason") }),
  });
  if (done) ctx.reload();
}

function contactsCard(r) {
  const rows = r.addresses?.length ? r.addresses : (r.contacts ?? []).map((c) => ({ address: contactText(c) }));
  if (r.contacts === null) {
    return card("Contacts", r.addresses.length ? h("ul", { class: "plain-list" }, r.addresses.map((c) => h("li", null, h("span", { class: "quiet" }, `an address ${WITHHELD} `), c.bounced ? badge("bounced", "bad") : c.verified ? badge("verified", "ok") : badge("not verified", "warning"))))
      : h("p", { class: "quiet" }, `Addresses are ${WITHHELD}.`));
  }
  return card("Contacts", rows.length ? h("ul", { class: "plain-list" }, rows.map((c) => h("li", null, contactText(c.address), " ",
    c.bounced ? [badge("bounced", "bad"), h("span", { class: "quiet small" }, ` ${c.bounce} `), time(c.bounced, { date: true })] : c.verified ? [badge("verified", "ok"), h("span", { class: "quiet small" }, ` by ${c.verified_by} `), time(c.verified, { date: true })] : badge("not verified", "warning"))))
    : empty("It gave no contact.", "Somebody has to be found before the worst day."));
}

function polledCard(r) {
  if (!r.polled_certificates?.length) return null;
  return card("Certificates it asked about (ARI)", table({ caption: "Renewal information", rows: r.polled_certificates, columns: [
    { name: "Serial", head: true, value: (c) => h("a", { href: `/console/certificates/${c.serial}?issuer=${encodeURIComponent(c.issuer)}` }, short(c.serial)) },
    { name: "Ends", value: (c) => time(c.not_after, { date: true }) }, { name: "Asked", num: true, value: (c) => c.polls }, { name: "Last", value: (c) => time(c.last, { seconds: false }) }, { name: "Client", value: (c) => c.client }] }), { class: "flush" });
}

export async function show(ctx) {
  const r = await get("readiness/" + ctx.match[1], null, { signal: ctx.signal });
  const may = ctx.may("operator");
  const title = r.subscriber || `Account ${r.account}`;
  const active = r.holdouts.filter((x) => !x.lifted);
  return h("div", { class: "page-stack" },
    head(title, { trail: [["Readiness", "/console/readiness"]], state: tierBadge(r.tier), text: `${r.means[0].toUpperCase()}${r.means.slice(1)}.`,
      actions: may ? [button("Write a call down …", { kind: "primary", onclick: () => call(ctx, r) }), button("Verify contacts …", { onclick: () => write(ctx, r) }), button("Make a link …", { onclick: () => link(r) }), button(r.cannot_tolerate ? "Mark as able …" : "Mark as unable …", { onclick: () => mark(ctx, r) })] : null }),
    r.cannot_tolerate ? notice("bad", "It says that it cannot replace in time", r.reason ? `: ${r.reason}` : ".") : null,
    active.map((x) => notice("bad", `Held out: ${x.reason}`, h("div", { class: "quiet small" }, x.who === null ? "since " : `${x.who}, since `, time(x.since, { date: true })))),
    h("div", { class: "grid-2" },
      h("div", { class: "stacked" },
        card("What is known", [facts([
          ["Because", factWords(r.facts)], ["In this tier since", time(r.since)], ["Until", r.lapses ? time(r.lapses) : null], ["Client", r.client || null],
          ["Asked when to renew", r.polls ? [number(r.polls), " times, last ", time(r.polled)] : "never"], ["Renewed by itself", r.renewals ? [number(r.renewals), " times, last ", time(r.renewed)] : "never"],
          ["Said what it replaces", r.told ? time(r.told) : "never"], ["Terms", r.terms ? [r.terms, r.clause ? ", with the clause about revocation" : ", without the clause about revocation"] : "none in force"],
          ["Certificates in force", h("a", { href: `/console/accounts/${r.account}` }, r.certificates >= 1000 ? "1,000 or more" : number(r.certificates))],
        ]), r.advice ? notice("info", r.advice) : null]),
        contactsCard(r)),
      h("div", { class: "stacked" },
        card("Calls", r.calls.length ? calls(r.calls) : empty("Nobody has called yet.", "Calls are kept with who, when and what came of it.")),
        r.links.length ? card("Links to replace certificates", h("ul", { class: "plain-list" }, r.links.map((l) => h("li", null, "made ", time(l.created, { date: true }), ` by ${l.by}, good until `, time(l.expires, { date: true }), `, ${number(l.requests)} requests`)))) : null)),
    polledCard(r),
    h("p", null, linkButton("The account", "/console/accounts/" + r.account)));
}
