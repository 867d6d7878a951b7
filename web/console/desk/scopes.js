// Scope versions of an incident, what each added and took away, and the dialog that saves the next.
import { ask, change, get } from "../api.js";
import { button, card, dangerous, empty, facts, failure, h, more, number, plural, short, table, time, toast } from "../ui.js";
import { scopeBox } from "../ui/scopebox.js";
import { inputs, payload } from "./forms.js";

const words = (text) => text.match(/"[^"]*"|\S+/g) ?? [];

/** Two expressions, word by word: [[kind, text]…] with kind same, added or removed. The longest common run of words is what stays. */
export function wordDiff(before, after) {
  const a = words(before);
  const b = words(after);
  const length = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) for (let j = b.length - 1; j >= 0; j--) length[i][j] = a[i] === b[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
  const out = [];
  const add = (kind, text) => { const last = out[out.length - 1]; if (last?.[0] === kind) last[1] += " " + text; else out.push([kind, text]); };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { add("same", a[i]); i++; j++; }
    else if (j >= b.length || (i < a.length && length[i + 1][j] >= length[i][j + 1])) add("removed", a[i++]);
    else add("added", b[j++]);
  }
  return out;
}

const diffText = (before, after) => h("p", { class: "scope-text mono" }, wordDiff(before, after).map(([kind, text]) => [kind === "same" ? text : h(kind === "added" ? "ins" : "del", null, text), " "]));

const few = (list) => table({ caption: "Certificates", rows: list, columns: [
  { name: "Serial", value: (c) => h("a", { href: `/console/certificates/${c.serial}?issuer=${encodeURIComponent(c.issuer)}` }, short(c.serial)), head: true },
  { name: "Names", value: (c) => (c.names ?? []).slice(0, 3).join(", "), class: "wide" }, { name: "Issued", value: (c) => time(c.issued, { date: true }) }] });

/** What version `scope.version` means that the one before did not; asked for when it is opened. */
function difference(incident, scope, before) {
  const body = h("div", null);
  async function load() {
    try {
      const doc = await get(`scopes/incident-${incident.id}/diff`, { version: scope.version, against: before.version, limit: 10 });
      const side = (name, text) => h("div", null, h("h3", null, `${number(doc[name].count ?? doc[name].certificates?.length ?? 0)} ${text}`), doc[name].certificates?.length ? few(doc[name].certificates) : h("p", { class: "quiet" }, "None."));
      body.replaceChildren(h("div", { class: "grid-2" }, side("added", "are new in it"), side("removed", "are not in it any more")));
    } catch (e) {
      body.replaceChildren(failure(e, load));
    }
  }
  const el = more("Certificates that differ", body);
  el.addEventListener("toggle", () => { if (el.open && !body.firstChild) load(); });
  return el;
}

function version(incident, scope, before) {
  const delta = before ? scope.count - before.count : 0;
  return h("li", { class: "scope-version" },
    h("div", { class: "row" }, h("h3", null, `Version ${scope.version}`), h("b", null, plural(scope.count, "certificate")),
      before ? h("span", { class: "quiet" }, delta === 0 ? "as many as before" : `${number(Math.abs(delta))} ${delta > 0 ? "more" : "fewer"} than version ${before.version}`) : null,
      h("span", { class: "push quiet" }, scope.saved_by, ", ", time(scope.saved, { seconds: false }))),
    before ? diffText(before.scope, scope.scope) : h("p", { class: "scope-text mono" }, scope.scope),
    facts([["As of", time(scope.as_of)], ["Members, SHA-256", short(scope.members_sha256, 16, 8)], ["What was wrong before", scope.wrong], ["How that is avoided", scope.avoided], ["Found wrong", scope.detected ? time(scope.detected) : null]]),
    h("div", { class: "row" }, h("a", { href: `/console/inventory?scope=${encodeURIComponent(scope.scope)}` }, "Show them in the inventory"), before ? difference(incident, scope, before) : null));
}

/** Asks for an expression, counts it, saves it as the next version. given: stands in the box. */
export async function saveScope(incident, done, given = "") {
  const again = incident.scopes[0] ?? null;
  const fields = again ? [{ name: "wrong", label: "Why version " + again.version + " was wrong", type: "area", rows: 2, needed: true }, { name: "avoided", label: "How that is avoided from now on", type: "area", rows: 2, needed: true },
    { name: "detected", label: "When that was found", type: "time" }] : [];
  let box = null;
  box = scopeBox({ value: given || again?.scope || "", onChange: () => box?.dispatchEvent(new Event("change", { bubbles: true })) });
  const answer = await dangerous({
    title: again ? "Correct the scope" : "Which certificates are affected?", fields: [box, ...inputs(fields)],
    async plan() {
      const text = box.value.trim();
      if (!text) return { effect: "Nothing is selected yet.", refuse: "Write an expression, such as: method = http-01 and caa_age > 8h and valid", facts: [] };
      const run = await ask("scope/run", text);
      return { run, text, effect: `${plural(run.count, "certificate")}: ${text}`, verb: "Save as the scope", refuse: null,
        facts: [["As of", time(run.as_of)], ["Members, SHA-256", short(run.members_sha256, 16, 8)], ["Remarks", run.remarks?.length ? run.remarks.map((r) => h("p", null, r.words ?? r)) : null]], stop: "Another version can be saved at any time; each stays in the record.", approvals: 0 };
    },
    run(plan, data) {
      const missing = fields.find((f) => f.needed && !String(data.get(f.name) ?? "").trim());
      if (missing) throw new Error(`${missing.label}: this is asked of every correction.`);
      return change(`incidents/${incident.id}/scope`, { scope: plan.text, "as-of": plan.run.as_of, count: plan.run.count, "members-sha256": plan.run.members_sha256, ...payload(fields, data) });
    },
  });
  if (answer) { toast(`Scope ${answer.version}: ${plural(answer.count, "certificate")}.`); done(); }
}

/** The tab with all versions, the newest first. */
export function scopesTab(incident, ctx, done) {
  const list = incident.scopes;
  const given = ctx.params.get("scope");
  if (given) {
    ctx.setQuery({ view: "scope" }); // once: not again when the page is loaded anew
    if (ctx.may("operator")) setTimeout(() => { if (!ctx.signal.aborted) saveScope(incident, done, given).catch((e) => toast(e.message)); });
  }
  const save = ctx.may("operator") ? button(list.length ? "Correct the scope" : "Find the certificates", { kind: list.length ? null : "primary", onclick: () => saveScope(incident, done) }) : null;
  if (!list.length) return empty("Nobody has said which certificates are affected.", "A scope is an expression over the book, such as: method = http-01 and caa_age > 8h and valid. It is saved with its count and the hash of its members.", save);
  return card("Scope versions", h("ol", { class: "scope-list" }, list.map((s, i) => version(incident, s, list[i + 1]))), { actions: save, class: "span-12" });
}
