// Accounts: who orders certificates. And the way to one, by its number.
import { source } from "../api.js";
import { badge, empty, filters, h, head, linkButton, redraw, short, table, time } from "../ui.js";

const STATES = ["valid", "deactivated", "revoked"];
export const contactText = (c) => c.replace(/^mailto:/, "");
/** Null: kept from this role. */
export const WITHHELD = "for operators and auditors";
export const contactsText = (list) => (list ? list.map(contactText).join(", ") : `Addresses are ${WITHHELD}.`);

const columns = [
  { name: "Account", head: true, value: (a) => h("a", { href: "/console/accounts/" + a.id }, a.id) },
  { name: "State", class: "narrow", value: (a) => badge(a.status, a.status === "valid" ? "ok" : "quiet") },
  { name: "Who", class: "wide", value: (a) => a.subscriber || (a.contacts ? contactsText(a.contacts) : h("span", { class: "quiet" }, WITHHELD)) },
  { name: "Key", class: "narrow", value: (a) => (a.alg ? [a.alg, " ", short(a.thumbprint, 6, 4)] : h("span", { class: "quiet" }, "none: by request (CSR)")) },
  { name: "Created", class: "narrow", value: (a) => time(a.created, { seconds: false }) },
  { name: "Agreed to the terms", class: "narrow", value: (a) => (a.terms_agreed ? time(a.terms_agreed, { date: true }) : null) },
  { name: "From", class: "mono narrow", value: (a) => a.address },
];

export async function show(ctx) {
  const place = h("div");
  const draw = (values) => {
    ctx.setQuery(values);
    if (/^\d{1,19}$/.test(values.id ?? "")) return void ctx.navigate("/console/accounts/" + values.id);
    redraw(place, table({
      caption: "Accounts", columns, unit: ["account"], source: source("accounts", "accounts", { status: values.status }, { signal: ctx.signal }),
      empty: values.status ? empty(`No account is ${values.status}.`, "Take the filter away.", linkButton("All accounts", "/console/accounts"))
        : empty("Nobody has an account yet.", "ACME clients make their own with the first order; a key for external account binding says who may.", linkButton("EAB keys", "/console/eab")),
    }));
  };
  const bar = filters([{ name: "id", label: "Number", hint: "1530", type: "search" }, { name: "status", label: "State", choices: STATES }], Object.fromEntries(ctx.params), draw);
  draw(Object.fromEntries(ctx.params));
  return h("div", null, head("Accounts", { text: "Subscribers as ACME and enrolment know them.", actions: [linkButton("EAB keys", "/console/eab"), linkButton("Readiness", "/console/readiness")] }), bar, place);
}
