// Dialogs. Whatever is dangerous goes through dangerous(): first what would happen, counted by the family; then one button that names it.
import { approve, get } from "../api.js";
import { append, h, newId } from "./dom.js";
import { button, facts, failure, notice } from "./parts.js";
import { badge, number, time } from "./text.js";

/**
 * A modal dialog. content: nodes. actions: nodes at its foot. Escape and the × close it. Returns {element, close(value), closed: Promise of value}.
 * Focus goes to the first field or [autofocus], and back to where it was.
 */
export function dialog(title, content, actions = [], options = {}) {
  const id = newId("dialog");
  const foot = h("footer", { class: "dialog-foot" }, actions);
  const body = h("div", { class: "dialog-body" }, content);
  const element = h("dialog", { class: ["dialog", options.class], "aria-labelledby": id, "data-level": options.level ?? null },
    h("header", { class: "dialog-head" }, h("h2", { id, tabindex: "-1" }, title), h("button", { class: "close", type: "button", "aria-label": "Close", onclick: () => close(null) }, "×")), body, foot);
  let tell;
  let value = null;
  const closed = new Promise((resolve) => { tell = resolve; });
  const back = document.activeElement;
  function close(v) { value = v; element.close(); }
  element.addEventListener("close", () => { element.remove(); back?.focus?.(); tell(value); });
  document.body.append(element);
  element.showModal();
  return { element, body, foot, close, closed };
}

/** A question with two answers: await confirm({title, text, yes: "Pause", kind}) → boolean. For what can be undone; else dangerous(). */
export async function confirm(options) {
  const d = dialog(options.title, options.text, []);
  append(d.foot, button("Cancel", { onclick: () => d.close(false) }), button(options.yes ?? "Yes", { kind: options.kind ?? "primary", onclick: () => d.close(true) }));
  return (await d.closed) === true;
}

/** A form in a dialog: await ask({title, text, fields: [field(…)], yes, run: async (FormData) => result}) → result or null. What run throws is shown in place. */
export async function form(options) {
  const d = dialog(options.title, [], []);
  const id = newId("form");
  const wrong = h("div");
  const yes = h("button", { type: "submit", form: id, class: ["button", options.kind ?? "primary"] }, options.yes ?? "Save");
  const el = h("form", { id, onsubmit: async (e) => {
    e.preventDefault();
    await attempt(yes, wrong, async () => d.close((await options.run(new FormData(el), el)) ?? true));
  } }, options.text ? h("p", null, options.text) : null, options.fields, wrong);
  d.body.append(el);
  append(d.foot, button("Cancel", { onclick: () => d.close(null) }), yes);
  el.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  return d.closed;
}

async function attempt(yes, wrong, run) {
  yes.disabled = true;
  wrong.replaceChildren();
  try {
    await run();
  } catch (e) {
    wrong.replaceChildren(failure(e));
  } finally {
    yes.disabled = false;
  }
}

/**
 * What cannot be taken back: a plan first, then a button that names it. options:
 *   title     "Revoke this certificate"
 *   fields    nodes asked for before (reasons, notes); optional. They stand in a <form>; a change asks plan() again
 *   plan      async (FormData) → {effect: "Revokes 103,442 certificates of tls", facts: [[name, value]], lasts: "about 4 min", stop: "Pause or
 *             stop it on its page at any time; what is revoked stays revoked.", approvals: 1, refuse: "why it cannot be done", verb: "Revoke 103,442"}
 *             A dry run: it changes nothing, and the family counts
 *   run       async (plan, FormData) → result; throws Problems, which are shown
 * Returns the result, or null when it was left.
 */
export async function dangerous(options) {
  const d = dialog(options.title, [], [], { level: "bad", class: "wide" });
  const wrong = h("div");
  const shown = h("div", { class: "plan", "aria-live": "polite" });
  const asked = h("form", { class: "plan-fields", onsubmit: (e) => e.preventDefault(), onchange: () => look() }, options.fields ?? []);
  const yes = button("…", { kind: "danger", disabled: true, onclick: () => attempt(yes, wrong, go) });
  let plan = null;
  let turn = 0;
  let looking = Promise.resolve();
  // A click out of a field changes that field first, and so asks the plan again: it counts when the plan that comes is the one that was seen.
  async function go() {
    const seen = plan;
    await looking;
    if (!plan || plan.refuse || (seen && seen !== plan && seen.effect !== plan.effect)) return;
    d.close((await options.run(plan, new FormData(asked))) ?? true);
  }
  function look() {
    looking = reckon();
    return looking;
  }
  async function reckon() {
    const mine = ++turn;
    yes.disabled = yes.disabled || !plan;
    try {
      const found = await options.plan(new FormData(asked));
      if (mine !== turn) return;
      plan = found;
      shown.replaceChildren(planView(plan));
      yes.textContent = plan.verb ?? options.title;
      yes.disabled = Boolean(plan.refuse);
    } catch (e) {
      if (mine === turn) shown.replaceChildren(failure(e, look));
    }
  }
  append(d.body, asked, shown, wrong);
  append(d.foot, button("Cancel", { onclick: () => d.close(null) }), yes);
  await look();
  return d.closed;
}

/** What a plan would do, as dangerous() shows it; for pages that show one without a dialog. */
export function planView(plan) {
  return h("div", { class: "plan-view" }, plan.refuse ? notice("bad", plan.refuse) : null, h("p", { class: "plan-effect" }, plan.effect),
    facts([...(plan.facts ?? []), ["How long", plan.lasts], ["How to stop", plan.stop],
      ["Approval", plan.approvals > 0 ? `Needs ${number(plan.approvals)} other ${plan.approvals === 1 ? "person" : "people"}; nothing happens before.` : "None needed: it starts at once."]]));
}

/** Shows a plan (GET plans/ID) whole, with the statement that is signed, and approves it with the passkey. statement: async (plan) → text, of session.js.
 *  Returns the answer, or null. */
export async function approval(id, statement) {
  const doc = await get("plans/" + id);
  const plan = doc.plan ?? doc;
  const d = dialog("Approve " + id, [], [], { level: "warning", class: "wide" });
  const wrong = h("div");
  const text = statement ? await statement(plan) : "";
  append(d.body, facts([["Action", plan.action], ["State", badge(plan.state)], ["Proposed by", plan.operator ?? plan.proposer], ["Certificates", plan.count !== undefined ? number(plan.count) : null],
    ["Expires", plan.expires ? time(plan.expires) : null]]), text ? [h("p", null, "Your passkey signs exactly this:"), h("pre", { class: "statement", tabindex: "0" }, text)] : null, wrong);
  const yes = button("Approve with passkey", { kind: "danger", onclick: () => attempt(yes, wrong, async () => d.close(await approve(plan))) });
  append(d.foot, button("Cancel", { onclick: () => d.close(null) }), yes);
  return d.closed;
}
