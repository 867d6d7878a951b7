// Keys for external account binding: who may make an account at all, for which names, and how much. The secret is shown once.
import { change, source } from "../api.js";
import { badge, button, confirm, copyable, duration, empty, facts, failure, field, form, dialog, h, head, notice, number, short, table, time, toast } from "../ui.js";

const words = (text) => text.split(/[\s,]+/).filter(Boolean);
const whole = (text) => (text ? Number(text) : 0);
const listed = (value) => (Array.isArray(value) ? value : words(value ?? ""));

function used(k) {
  return k.accounts_most ? `${number(k.accounts)} of ${number(k.accounts_most)}` : number(k.accounts);
}

function orders(k) {
  if (!k.orders_most) return "any number";
  return `${number(k.orders_most)} in ${duration(k.orders_period_s)}`;
}

const limits = (list, any) => (list.length ? list.join(", ") : h("span", { class: "quiet" }, any));

/** The secret, this once. */
function secret(answer) {
  const d = dialog("The key is made", [
    notice("warning", "The secret is shown this once. Whoever has it can make accounts by this key; hand it over by a safe way."),
    facts([["Key identifier (kid)", copyable(answer.kid)], ["Secret (base64url, HS256)", copyable(answer.hmac_key)]]),
    h("p", { class: "quiet" }, "For certbot:"),
    h("pre", { class: "statement", tabindex: "0" }, `certbot register --eab-kid ${answer.kid} --eab-hmac-key ${answer.hmac_key} --server …/acme/directory`),
  ], [], { class: "wide" });
  d.foot.append(button("I have kept it", { kind: "primary", onclick: () => d.close(true) }));
  return d.closed;
}

async function create(ctx) {
  const answer = await form({
    title: "A key for a subscriber", yes: "Make the key",
    text: "Its holder makes ACME accounts that are bound to it, with these limits.",
    fields: [
      field("For whom", h("input", { name: "note", maxlength: "200", required: true, autocomplete: "off" }), { hint: "A word for your own records: customer 4711" }),
      field("Domains", h("input", { name: "suffixes", autocomplete: "off", spellcheck: "false" }), { hint: "Names and all below them, separated by blanks. Empty: any" }),
      field("Profiles", h("input", { name: "profiles", autocomplete: "off", spellcheck: "false" }), { hint: "Empty: any" }),
      h("div", { class: "pair" },
        field("Accounts at most", h("input", { name: "accounts", type: "number", min: "0", value: "1" }), { hint: "0: any number" }),
        field("Orders a day at most", h("input", { name: "orders", type: "number", min: "0", value: "0" }), { hint: "0: any number" })),
      field("Expires (UTC)", h("input", { name: "expires", type: "date" }), { hint: "Empty: never" }),
    ],
    run: (data) => change("eab", {
      note: data.get("note").trim(), profiles: words(data.get("profiles")), suffixes: words(data.get("suffixes")), accounts: whole(data.get("accounts")),
      ...(whole(data.get("orders")) ? { orders: whole(data.get("orders")), "orders-period": 86400 } : {}), ...(data.get("expires") ? { expires: `${data.get("expires")}T00:00:00Z` } : {}),
    }),
  });
  if (!answer) return;
  await secret(answer);
  ctx.reload();
}

async function revoke(ctx, k) {
  const sure = await confirm({ title: "Revoke this key", yes: "Revoke the key", kind: "danger", text: [h("p", null, `${k.note || k.kid}: its secret goes for good, no account more can be made by it.`), h("p", null, `${k.accounts ? `The ${number(k.accounts)} bound to it` : "Accounts bound to it"} can order nothing any more. Certificates stay as they are.`)] });
  if (!sure) return;
  try {
    await change(`eab/${k.kid}/revoke`, {});
    toast("The key is revoked.");
    ctx.reload();
  } catch (e) {
    toast(e.detail ?? e.message, "bad");
  }
}

export async function show(ctx) {
  const may = ctx.may("operator");
  const make = () => button("Make a key …", { kind: "primary", onclick: () => create(ctx).catch((e) => document.querySelector("main")?.prepend(failure(e))) });
  return h("div", null,
    head("EAB keys", { text: "External account binding: a key says whose an account is, for which names, and how much it may order.", actions: may ? [make()] : null }),
    table({
      caption: "Keys for external account binding", unit: ["key"], source: source("eab", "keys", null, { signal: ctx.signal }), rowClass: (k) => (k.status === "valid" ? null : "faded"),
      columns: [
        { name: "For whom", head: true, class: "wide", value: (k) => k.note || short(k.kid) },
        { name: "State", class: "narrow", value: (k) => badge(k.status, k.status === "valid" ? "ok" : "quiet") },
        { name: "Domains", value: (k) => limits(listed(k.suffixes), "any") },
        { name: "Profiles", class: "narrow", value: (k) => limits(listed(k.profiles), "any") },
        { name: "Accounts", num: true, value: used },
        { name: "Orders", class: "narrow", value: orders },
        { name: "Expires", class: "narrow", value: (k) => (k.expires ? time(k.expires, { date: true }) : "never") },
        { name: "Made", class: "narrow", value: (k) => [time(k.created, { date: true }), h("span", { class: "quiet small" }, ` by ${k.created_by}`)] },
        { name: "Key identifier", class: "narrow", value: (k) => copyable(k.kid, short(k.kid, 6, 4)) },
        ...(may ? [{ name: "", spoken: "Revoke", class: "narrow", value: (k) => (k.status === "valid" ? button("Revoke …", { class: "plain", "aria-label": `Revoke the key of ${k.note || k.kid}`, onclick: () => revoke(ctx, k) }) : " ") }] : []),
      ],
      empty: empty("No key was made yet.", "Without one, anybody who reaches the directory can make an account, unless the configuration demands a binding.", may ? make() : null),
    }));
}
