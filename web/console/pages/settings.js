// How this CA is set up, to look at. Files of the CA folder change it, not this page: whoever may change a rule has to reach the machine.
import { get } from "../api.js";
import { card, cards, empty, facts, h, head, number, table, time } from "../ui.js";

const TITLES = { ca: "The CA", listen: "Listeners", console: "Console", processes: "Processes", acme: "ACME", validation: "Validation", "rate-limits": "Rate limits", pausing: "Pausing",
  crl: "CRLs", usage: "In-use scans", approvals: "Approvals", "second-opinion": "Second opinion", mail: "Mail", hooks: "Hooks", token: "Token", log: "Log", enrolment: "Enrolment" };

const ACRONYM = /\b(url|http|https|caa|dnssec|ip|tls|crl|ocsp|eab)\b/gi;
/** "base-url" → "Base URL". */
const words = (key) => (key[0].toUpperCase() + key.slice(1).replaceAll("-", " ")).replace(ACRONYM, (word) => word.toUpperCase());

function shown(value) {
  if (value === true || value === false) return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length ? value.join(", ") : h("span", { class: "quiet" }, "none");
  if (value === "" || value === null) return h("span", { class: "quiet" }, "not set");
  return typeof value === "number" ? number(value) : String(value);
}

const operatorColumns = [
  { name: "Operator", value: (o) => o.name, head: true },
  { name: "Roles", value: (o) => o.roles.join(", "), class: "wide" },
  { name: "Key", value: (o) => o.alg },
  { name: "Added", class: "nowrap", value: (o) => time(o.added, { seconds: false }) },
];
const issuerColumns = [
  { name: "Issuer", value: (i) => i.name, head: true },
  { name: "Key", value: (i) => h("code", null, i.key), class: "wide" },
  { name: "CRL parts", value: (i) => i.crl_shards || 1, num: true },
  { name: "OCSP", value: (i) => (i.ocsp ? "yes" : "no") },
  { name: "At most", class: "nowrap", value: (i) => (i.cap ? number(i.cap) : "no cap"), num: true },
];

export async function show(ctx) {
  const options = { signal: ctx.signal };
  const [settings, people] = await Promise.all([get("settings", null, options), get("operators", null, options)]);
  const { issuers = [], ...sections } = settings.settings;
  return h("div", null,
    head("Settings", { text: ["As the family runs with them now. ", h("code", null, "lintel.yaml"), " and ", h("code", null, "operators/"), " in the CA folder change them; ", h("code", null, "lintel config check"), " reads a change before it counts."] }),
    card("Operators", table({ caption: "Operators", columns: operatorColumns, rows: people.operators, empty: empty("Nobody is an operator.", "lintel operator add makes one.") }), { class: "flush" }),
    card("Issuers", table({ caption: "Issuers", columns: issuerColumns, rows: issuers }), { class: "flush" }),
    h("div", { class: "masonry" }, Object.entries(sections).map(([name, values]) => card(TITLES[name] ?? name, facts(Object.entries(values).map(([key, value]) => [words(key), shown(value)]))))));
}
