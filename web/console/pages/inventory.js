// The inventory: one field that knows what was typed into it, or an expression; and the certificates, a page at a time.
import { ask, get, source } from "../api.js";
import { announce, badge, button, empty, filters, h, head, linkButton, number, redraw, scopeBox, short, table, tabs, time } from "../ui.js";
import { intoIncident } from "./inventory_incident.js";
import { save, savedList } from "./inventory_saved.js";
import { subjectOf } from "./search.js";

const PAGE = 50;
const TURN_MS = 250; // so long one answer may take
const PATIENCE_MS = 2500;
const STATUS = ["valid", "expired", "revoked"];
const WITHIN = [["1", "a day"], ["7", "7 days"], ["14", "14 days"], ["30", "30 days"], ["90", "90 days"]];
const ORDERS = { issued: "issued", "-issued": "-issued", expires: "expires" };
const ofCertificate = (c) => `/console/certificates/${c.serial}?issuer=${encodeURIComponent(c.issuer)}`;

function names(list) {
  if (!list.length) return h("span", { class: "quiet" }, "no names");
  return h("span", { title: list.join("\n") }, list[0], list.length > 1 ? h("span", { class: "quiet" }, ` and ${number(list.length - 1)} more`) : null);
}

const state = (c) => [badge(c.status), c.revocation ? h("span", { class: "quiet small" }, " " + c.revocation.reason_name) : null];

const columns = [
  { name: "Names", head: true, class: "wide", value: (c) => h("a", { href: ofCertificate(c) }, names(c.names)) },
  { name: "State", class: "narrow", value: state },
  { name: "Ends", order: "expires", class: "narrow", value: (c) => time(c.not_after, { seconds: false }) },
  { name: "Issued", order: "issued", class: "narrow", value: (c) => time(c.issued, { seconds: false }) },
  { name: "Profile", class: "narrow spare", value: (c) => h("span", { title: `by ${c.issuer}` }, c.profile || c.issuer) },
  { name: "Account", class: "narrow spare", value: (c) => (c.account === "0" ? null : h("a", { href: "/console/accounts/" + c.account }, c.account)) },
  { name: "Replaced", class: "narrow spare", value: (c) => badge(c.replacement, c.replacement === "in_use" ? "ok" : "quiet") },
  { name: "Serial", class: "narrow mono spare", value: (c) => short(c.serial, 6, 6) },
];

/** What the filters say, as the API takes it. */
function parameters(ctx) {
  const p = Object.fromEntries(ctx.params);
  const found = subjectOf(p.q ?? "");
  const order = ORDERS[p.order];
  const soon = p.within ? { "expires-from": new Date().toISOString().slice(0, 19) + "Z", "expires-until": new Date(Date.now() + Number(p.within) * 86400e3).toISOString().slice(0, 19) + "Z" } : {};
  return { found, params: { ...found.params, ...soon, status: p.status, issuer: p.issuer, profile: p.profile, order, limit: PAGE, within: TURN_MS } };
}

/** Rows that do not fit are looked at too: in short turns, so that nobody else waits for them, until a page is full or it took long enough. */
function patiently(read) {
  return async (cursor) => {
    const begun = Date.now();
    const page = await read(cursor);
    while (page.next && page.rows.length < PAGE && Date.now() - begun < PATIENCE_MS) {
      const more = await read(page.next);
      page.rows.push(...more.rows);
      page.next = more.next;
    }
    return page;
  };
}

/** A hash of 64 digits is a fingerprint, or else a key's. */
function searched(ctx, found, params) {
  const first = patiently(source("certificates", "certificates", params, { signal: ctx.signal }));
  if (!params.sha256) return first;
  const { sha256, ...rest } = params;
  const second = source("certificates", "certificates", { ...rest, "spki-sha256": sha256 }, { signal: ctx.signal });
  let other = false;
  return async (cursor) => {
    const page = other ? await second(cursor) : await first(cursor);
    if (page.rows.length || cursor || other) return page;
    other = true;
    return second(null);
  };
}

function none(found) {
  if (found.kind === "nothing") return empty("The book has no certificates yet.", "They come here as soon as they are issued or brought in.", linkButton("How clients get them", "/"));
  return empty("No certificate fits.", found.words ? `Searched as ${found.words}. Names match themselves and everything below; take filters away to widen.` : "Take filters away to widen.", linkButton("All certificates", "/console/inventory"));
}

function listOf(ctx, redo) {
  const { found, params } = parameters(ctx);
  const any = found.kind !== "nothing" || ["status", "issuer", "profile", "within"].some((name) => ctx.params.get(name));
  return table({
    caption: "Certificates", columns, unit: ["certificate"], source: searched(ctx, found, params), key: (c) => c.issuer + c.serial, rowClass: (c) => (c.status === "valid" ? null : "faded"),
    order: params.order ?? (params["expires-until"] ? "expires" : "-issued"), onOrder: (order) => redo({ order: order === "-expires" ? "expires" : order }), empty: any ? none(any && found.kind === "nothing" ? { kind: "filters" } : found) : none(found),
  });
}

/** Search by what is known of one certificate. */
async function searchView(ctx) {
  const { issuers } = await get("issuers", null, { signal: ctx.signal });
  const place = h("div");
  const told = h("p", { class: "told", role: "status" });
  const profiles = (ctx.overview?.by_profile ?? []).map((p) => (Array.isArray(p) ? p[0] : p.profile ?? p.name)).filter(Boolean);
  const redo = (values) => {
    ctx.setQuery({ ...Object.fromEntries(ctx.params), ...values });
    const { found } = parameters(ctx);
    told.textContent = found.words ? `Read as ${found.words}.` : "A name and all below it (example.com), \"exactly this\", a serial number, a fingerprint, a key's hash, an account's number, or a whole certificate (PEM).";
    redraw(place, listOf(ctx, redo));
  };
  const bar = filters([
    { name: "q", label: "Certificate", wide: true, hint: "www.example.com, 0cf7…, PEM" },
    { name: "status", label: "State", choices: STATUS },
    { name: "within", label: "Ends within", choices: WITHIN },
    { name: "issuer", label: "Issuer", choices: issuers.map((i) => i.name) },
    ...(profiles.length ? [{ name: "profile", label: "Profile", choices: profiles }] : []),
  ], Object.fromEntries(ctx.params), (values) => {
    const keep = ctx.params.get("order");
    ctx.setQuery(keep ? { order: keep } : {});
    redo(values);
  });
  takePem(bar);
  redo({});
  return h("div", null, bar, told, place);
}

/** A certificate that is pasted has line ends, which a field drops: its fingerprint goes in instead. */
function takePem(bar) {
  const input = bar.elements.q;
  input.addEventListener("paste", async (e) => {
    const text = e.clipboardData?.getData("text") ?? "";
    const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END/.exec(text);
    if (!body) return;
    e.preventDefault();
    const der = Uint8Array.from(atob(body[1].replace(/\s+/g, "")), (c) => c.charCodeAt(0));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
    input.value = [...hash].map((b) => b.toString(16).padStart(2, "0")).join("");
    bar.requestSubmit();
    announce("Searching for the certificate that was pasted");
  });
}

function scopeTable(ctx, scope, redo) {
  const order = ctx.params.get("order") ?? "";
  return table({
    caption: "Certificates of the expression", columns: columns.map((c) => (c.name === "Ends" || c.name === "Issued" ? c : { ...c, order: undefined })), unit: ["certificate"],
    order, onOrder: redo, empty: empty("No certificate fits the expression.", "Loosen a term, or ask for less at once."),
    source: async (cursor) => {
      const doc = await ask("scope/list", scope, { params: { cursor, limit: PAGE, order, within: TURN_MS }, signal: ctx.signal });
      return { rows: doc.certificates, next: doc.next, doc };
    },
  });
}

/** Search by an expression. */
function scopeView(ctx) {
  const place = h("div");
  const show = (text) => {
    ctx.setQuery({ view: "scope", scope: text, order: text ? ctx.params.get("order") : null });
    redraw(place, text ? scopeTable(ctx, text, (order) => { ctx.setQuery({ view: "scope", scope: text, order }); show(text); }) : null);
    acts(text);
  };
  const actions = h("div", { class: "row" });
  const acts = (text) => redraw(actions, button("Show them", { kind: "primary", onclick: () => show(box.value) }),
    text && ctx.may("operator") ? button("Save with a name …", { onclick: () => save(text, saved.reload) }) : null,
    text && ctx.may("operator") ? button("Use as an incident's scope …", { onclick: () => intoIncident(ctx, text) }) : null,
    text ? groupLinks(ctx, text) : null);
  const box = scopeBox({ value: ctx.params.get("scope") ?? "", onEnter: (text) => { if (box.check?.good !== false) show(text); } });
  const saved = savedList(ctx, (text) => { box.set(text); show(text); });
  ctx.signal.addEventListener("abort", () => box.stop(), { once: true });
  acts(ctx.params.get("scope"));
  if (ctx.params.get("scope")) show(ctx.params.get("scope"));
  return h("div", { class: "page-stack" }, box, saved, actions, place,
    h("p", { class: "quiet small" }, "To revoke them, use the expression as the scope of an ", h("a", { href: "/console/incidents" }, "incident"), ": tiers, windows and approvals follow from there."));
}

/** Counted by a field, where it stands. */
function groupLinks(ctx, scope) {
  const place = h("div", { class: "groups" });
  const chosen = h("select", { class: "count-by", "aria-label": "Count by", onchange: () => draw() }, h("option", { value: "" }, "Count by …"), ["profile", "account", "issued:month", "expires:month", "method", "replacement", "status", "tier"].map((f) => h("option", { value: f }, f)));
  async function draw() {
    if (!chosen.value) return void place.replaceChildren();
    const doc = await ask("scope/groups", scope, { params: { by: chosen.value, limit: 12 }, signal: ctx.signal });
    const most = Math.max(1, ...doc.groups.map((g) => g.count));
    redraw(place, h("table", { class: "grid tight" }, h("caption", { class: "spoken" }, `By ${chosen.value}`), h("thead", null, h("tr", null, h("th", { scope: "col" }, chosen.value), h("th", { scope: "col", class: "num" }, "Certificates"), h("th", { scope: "col" }, h("span", { class: "spoken" }, "Share")))),
      h("tbody", null, doc.groups.map((g) => h("tr", null, h("th", { scope: "row" }, g.value ?? "(none)"), h("td", { class: "num" }, number(g.count)), h("td", { class: "share-cell" }, h("span", { class: "share-bar" }, h("span", { style: { width: `${(100 * g.count) / most}%` } })))))),
      doc.others > 0 ? h("tfoot", null, h("tr", null, h("td", null, `in ${number(doc.group_count - doc.groups.length)} others`), h("td", { class: "num" }, number(doc.others)), h("td"))) : null));
  }
  return [chosen, place];
}

export async function show(ctx) {
  const byScope = ctx.params.get("view") === "scope" || ctx.params.has("scope");
  const scopeHref = "/console/inventory?view=scope";
  return h("div", null,
    head("Inventory", { text: "Every certificate that this CA issued or brought in." }),
    tabs([["Search", "/console/inventory", !byScope], ["Expression", scopeHref, byScope]], "Ways to search"),
    byScope ? scopeView(ctx) : await searchView(ctx));
}
