// Readiness: in which order subscribers can replace their certificates on the worst day, and who must be called now.
import { ask, source } from "../api.js";
import { badge, empty, filters, h, head, number, redraw, stack, table, tabs, time } from "../ui.js";
import { contactText, WITHHELD } from "./accounts.js";
import { factWords, TIERS, tierBadge, tierMeans } from "./readiness_parts.js";

const TONE = { automatic: "ok", unattended: "a", reachable: "b", "by-hand": "warning", "hold-out": "bad" };
const MANY = 1000;
const who = (s) => h("a", { href: "/console/readiness/" + s.account }, s.subscriber || (s.contacts ?? []).map(contactText).join(", ") || `account ${s.account}`);
const certificates = (s) => (s.certificates >= MANY ? `${number(MANY)}+` : number(s.certificates));

const columns = [
  { name: "Subscriber", head: true, value: who },
  { name: "Tier", class: "narrow", value: (s) => tierBadge(s.tier) },
  { name: "Certificates", num: true, value: certificates },
];
const listColumns = [...columns,
  { name: "Because", class: "wide", value: (s) => factWords(s.facts) },
  { name: "Client", value: (s) => s.client },
  { name: "Last renewal", class: "narrow", value: (s) => (s.renewed ? time(s.renewed, { date: true }) : null) },
  { name: "Since", class: "narrow", value: (s) => time(s.since, { date: true }) },
];
const workColumns = [...columns,
  { name: "Next end", class: "narrow", value: (s) => (s.next_end ? time(s.next_end, { seconds: false }) : null) },
  { name: "Last call", class: "wide", value: (s) => (s.called ? [time(s.called, { date: true }), s.outcome ? [" ", badge(s.outcome)] : null] : h("span", { class: "quiet" }, "never")) },
  { name: "Again", class: "narrow", value: (s) => (s.again ? time(s.again, { date: true }) : null) },
];
const holdColumns = [
  { name: "Whom", head: true, class: "wide", value: (x) => (x.account && x.account !== "0" ? h("a", { href: "/console/readiness/" + x.account }, `account ${x.account}`) : x.name || x.subscriber) },
  { name: "Who said so", value: (x) => x.who ?? h("span", { class: "quiet" }, WITHHELD) }, { name: "Why", class: "wide", value: (x) => x.reason }, { name: "Since", value: (x) => [time(x.since, { date: true }), h("span", { class: "quiet small" }, ` by ${x.by}`)] },
  { name: "State", value: (x) => (x.lifted ? ["lifted ", time(x.lifted, { date: true })] : badge("held out", "bad")) },
];

/** How many certificates in force each tier has, one after the other: none takes long, and nobody waits for them. */
function shares(ctx) {
  const place = h("div", { class: "tier-shares" });
  (async () => {
    const found = [];
    for (const tier of TIERS) {
      const doc = await ask("scope/count", `tier = ${tier} and status = valid`, { params: { within: 500 }, signal: ctx.signal });
      if (doc.count === null) return void redraw(place, h("p", { class: "quiet small" }, "There are too many certificates to count them by tier each time; lintel readiness does."));
      found.push({ name: tier.replace("-", " "), value: doc.count, tone: TONE[tier], href: `/console/readiness?status=${tier}` });
    }
    if (found.some((t) => t.value)) redraw(place, h("h2", null, "Certificates in force, by tier"), stack(found, { label: "Certificates by tier" }));
  })().catch((e) => { if (e.name !== "AbortError") place.replaceChildren(); });
  return place;
}

const VIEWS = { list: ["All", "readiness", "subscribers", listColumns], calls: ["To call", "readiness/worklist", "worklist", workColumns], holdouts: ["Hold-outs", "holdouts", "holdouts", holdColumns] };
const NONE = {
  list: () => empty("No subscriber yet.", "Each account shows up here with its first certificate."),
  calls: () => empty("Nobody has to be called.", "Who cannot replace by himself, and was not reached, is listed here, those whose certificates end first at the top."),
  holdouts: () => empty("Nobody is held out.", "Somebody who says that he cannot replace in time is written down with lintel holdout add, and gets a plan of his own."),
};

export async function show(ctx) {
  const view = VIEWS[ctx.params.get("view")] ? ctx.params.get("view") : "list";
  const [, path, member, cols] = VIEWS[view];
  const place = h("div");
  const told = h("p", { class: "told" });
  const draw = (values) => {
    ctx.setQuery({ ...(view === "list" ? {} : { view }), ...values });
    told.textContent = values.status ? `${values.status.replace("-", " ")}: ${tierMeans(values.status)}.` : "";
    redraw(place, table({ caption: VIEWS[view][0], columns: cols, unit: view === "holdouts" ? ["hold-out"] : ["subscriber"], source: source(path, member, { status: values.status }, { signal: ctx.signal }), empty: NONE[view]() }));
  };
  draw(view === "list" && ctx.params.get("status") ? { status: ctx.params.get("status") } : {});
  return h("div", null,
    head("Readiness", { text: "Who replaces by himself, who has to be told, and who has to be called, when certificates must go." }),
    view === "list" ? shares(ctx) : null,
    tabs(Object.entries(VIEWS).map(([key, [name]]) => [name, key === "list" ? "/console/readiness" : `/console/readiness?view=${key}`, key === view]), "Lists"),
    view === "list" ? filters([{ name: "status", label: "Tier", choices: TIERS.map((t) => [t, t.replace("-", " ")]) }], Object.fromEntries(ctx.params), draw) : null, told, place);
}
