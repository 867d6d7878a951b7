// Where an incident stands, what has been done, and what the next safe step is.
import { get } from "../api.js";
import { badge, button, h, linkButton, time } from "../ui.js";
import { act } from "./forms.js";
import { planRevocation, startRevocation } from "./plan.js";
import { saveScope } from "./scopes.js";
import { HALTS, ROLES, SEVERITIES, STATES, STEPS } from "./words.js";

/** The ten states as a line: those that were reached with their time, the one it is in marked. */
export function stateLine(incident) {
  const at = new Map(incident.steps.map((step) => [step.status, step.at]));
  const here = STATES.findIndex(([name]) => name === incident.status);
  return h("ol", { class: "states", "aria-label": "States" }, STATES.map(([name, words], i) => h("li", { "data-at": i === here ? "here" : i < here ? (at.has(name) ? "done" : "skipped") : "ahead", "aria-current": i === here ? "step" : null, title: words },
    h("span", { class: "state-dot", "aria-hidden": "true" }), h("span", { class: "state-name" }, name), h("span", { class: "state-time quiet small" }, i <= here && at.has(name) ? time(at.get(name), { seconds: false }) : i < here ? "passed by" : ""))));
}

const base = (incident) => `incidents/${incident.id}`;
const asked = (title, incident, path, fields, more = {}) => async () => (await act({ title, path: `${base(incident)}/${path}`, fields, ...more })) !== null;

/** Stops issuance. What can be stopped is chosen from what is there. */
async function contain(incident) {
  const issuers = (await get("issuers")).issuers ?? [];
  return asked("Stop what goes wrong", incident, "contain", [
    { name: "kind", label: "Stop", type: "select", needed: true, choices: HALTS, value: "issuer" },
    { name: "value", label: "Which", needed: true, value: issuers.find((i) => !i.offline && i.parent)?.name ?? "", hint: `Its name: ${issuers.map((i) => i.name).join(", ")}; or dns-01, http-01, tls-alpn-01` },
    { name: "reason", label: "Why", needed: true, max: 200, value: incident.title.slice(0, 180) }],
  { yes: "Stop it now", kind: "danger", done: "Halted, in registrar and examiner.", text: "Nothing is issued for it from this moment on. It is lifted by a plan that others approve, after a fix." })();
}

const notify = (incident) => asked("Tell every subscriber", incident, "notify", [
  { name: "why", label: "Why, in one sentence", needed: true, max: 200, value: incident.title.slice(0, 200) }, { name: "more", label: "What they should know besides", type: "area", rows: 3, max: 2000 },
  { name: "publish", label: "Publish the list and a page to look certificates up", type: "check" }], { yes: "Write to them", kind: "danger", text: "A letter leaves for every account with a certificate in the frozen list. It cannot be called back.", done: "Being written." })();

/** What is sensible from here, the first of them first. */
function choices(incident, ctx, done) {
  const plan = incident.plans[0] ?? null;
  const stale = plan && plan.scope_version !== incident.scope_version;
  const step = (event) => asked(STEPS.find((x) => x.event === event).name, incident, "step", [{ name: "words", label: "Words for the record", type: "area", rows: 2 }], { fixed: { event }, text: STEPS.find((x) => x.event === event).text, done: "Noted." });
  const list = [];
  const add = (name, text, run) => list.push({ name, text, run });
  if (incident.status === "detected") add("Declare", "Take it on, so that it is nobody's no longer.", step("declare"));
  const over = plan && ["done", "stopped"].includes(plan.mass_status); // then reporting is next; stopping stays possible
  const halt = () => add("Stop what goes wrong", "Halt the issuer, profile or method that issues wrongly.", () => contain(incident));
  const open = !incident.contained && !["closed", "learning", "reporting"].includes(incident.status);
  if (open && !over) halt();
  if (!incident.scope_version && incident.status !== "closed") add("Find the certificates", "An expression over the book says which are affected.", async () => { await saveScope(incident, done); return false; });
  if (incident.scope_version && (!plan || stale)) add("Plan the revocation", stale ? "The scope was corrected: the list has to be frozen again." : "Freezes the list and spreads replacement over the time that is left.", async () => { await planRevocation(incident, ctx, done); return false; });
  if (plan && !stale && plan.status !== "freezing" && ["scoped", "replacing"].includes(incident.status)) add("Tell subscribers", "A letter to every account in the list.", () => notify(incident));
  if (plan && !stale && plan.mass_status === "proposed" && incident.status !== "revoking") add("Revoke", "Runs tier by tier once others have approved it.", async () => { await startRevocation(incident, plan, ctx, done); return false; });
  const runs = plan && !stale && (incident.status === "revoking" && plan.mass_status === "proposed" || ["running", "paused", "checking"].includes(plan.mass_status));
  if (runs) return list; // what is next is the run itself, which has its own buttons
  if (["reporting", "learning"].includes(incident.status)) add("Reports", "What each of them lacks, and whose it is; then it is posted, and its clock is met.", async () => { ctx.navigate(`/console/incidents/${incident.id}?view=reports`); return false; });
  for (const x of STEPS) if (x.from.includes(incident.status) && !["declare"].includes(x.event)) add(x.name, x.text, step(x.event));
  if (incident.status === "learning") add("Close", "When all promises are kept.", asked("Close the incident", incident, "close", [{ name: "words", label: "Words for the record", type: "area", rows: 2 }], { done: "Closed." }));
  if (open && over) halt();
  return list;
}

/** Plans of this incident that wait for somebody's approval, as buttons. */
const approvalLinks = (incident) => incident.plans.filter((p) => p.approval && p.mass_status === "proposed").slice(0, 1).map((p) => linkButton(`Approve ${p.approval}`, `/console/plans/${p.approval}`));

/** The next safe step as one large button, others behind it. done(): reads again. */
export function nextStep(incident, ctx, done) {
  const waits = ctx.may("approver") ? approvalLinks(incident) : [];
  if (!ctx.may("operator")) return waits.length ? h("div", { class: "row" }, waits) : null;
  const list = choices(incident, ctx, done);
  const go = (choice) => async () => { if (await choice.run()) done(); };
  const [first, ...others] = list;
  return h("section", { class: "next-step", "aria-label": "Next step" },
    first ? h("div", { class: "next-step-main" }, h("div", null, h("h2", null, first.name), h("p", { class: "quiet" }, first.text)), button(first.name, { kind: "primary", onclick: go(first) })) : null,
    h("div", { class: "row" }, others.map((choice) => button(choice.name, { title: choice.text, onclick: go(choice) })), waits,
      button("Note", { onclick: async () => { if (await asked("A note for the timeline", incident, "note", [{ name: "words", label: "What happened", type: "area", needed: true }, { name: "at", label: "When", type: "time", hint: "UTC. Left empty: now." }], { done: "Noted." })()) done(); } }),
      button("Change", { onclick: async () => { if (await change(incident)) done(); } })));
}

async function change(incident) {
  const causes = (await get("causes")).causes;
  return asked("Change the incident", incident, "change", [
    { name: "severity", label: "Severity", type: "select", choices: SEVERITIES, value: incident.severity },
    { name: "cause", label: "Cause", type: "select", choices: causes.map((c) => [c.cause, c.words]), value: incident.cause },
    { name: "words", label: "Why", type: "area", rows: 2, needed: true }], { done: "Changed." })();
}

/** Who does what, with hand-over. */
export function roles(incident, ctx, done) {
  const now = new Map(incident.roles.filter((r) => !r.until).map((r) => [r.role, r]));
  const give = (role) => async () => { if (await asked(`Who is ${role}?`, incident, "role", [{ name: "holder", label: "Operator", needed: true, value: now.get(role)?.holder ?? "" }, { name: "words", label: "Words of the hand-over", type: "area", rows: 2 }], { fixed: { role }, yes: "Hand over", done: "Handed over." })()) done(); };
  return h("dl", { class: "facts" }, ROLES.map((role) => h("div", null, h("dt", null, role), h("dd", { class: "row" }, now.has(role) ? [h("b", null, now.get(role).holder), h("span", { class: "quiet small" }, "since ", time(now.get(role).since, { seconds: false }))] : h("span", { class: "quiet" }, "nobody"),
    ctx.may("operator") ? button(now.has(role) ? "Hand over" : "Give", { class: "plain tool push", "aria-label": `${now.has(role) ? "Hand over" : "Give"}: ${role}`, onclick: give(role) }) : null))));
}

/** What is stopped, and the fix it waits for. */
export function halts(incident, ctx, done) {
  if (!incident.halts.length) return h("p", { class: "quiet" }, "Nothing is stopped by it.");
  const fix = (x) => async () => { if (await asked("Name the fix", incident, "fix", [{ name: "build", label: "Build that has it", needed: true }, { name: "test", label: "Test that fails on the old behaviour", hint: "tests/unit/…" }, { name: "rule", label: "or rule of the linter" }, { name: "words", label: "Words", type: "area", rows: 2 }], { fixed: { halt: x.halt }, done: "The scope is run again; what it finds is shown here." })()) done(); };
  return h("ul", { class: "halts" }, incident.halts.map((x) => h("li", null, h("div", { class: "row" }, badge(x.lifted ? "lifted" : x.status, x.lifted ? "ok" : "bad"), h("b", null, `${x.kind} ${x.value}`), h("span", { class: "quiet small" }, "since ", time(x.added, { seconds: false })),
    !x.lifted && ctx.may("operator") ? button("Name the fix", { class: "plain tool push", onclick: fix(x) }) : null),
    x.build ? h("div", { class: "quiet small" }, `Fixed in ${x.build}, shown by ${x.proof}; ${x.issued_since < 0 ? "not looked yet" : `${x.issued_since} of the scope were issued since`}`) : null,
    !x.lifted && x.proven ? h("div", { class: "small" }, "To lift it: ", h("code", null, `lintel resume ${x.halt}`)) : null)));
}
