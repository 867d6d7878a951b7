// One plan: exactly what it would do, who has approved it, and the button that signs.
import { approve, change, get } from "../api.js";
import { tierTable } from "../desk/mass.js";
import { ACTIONS } from "../desk/plans.js";
import * as session from "../session.js";
import { badge, button, card, cards, countdown, empty, facts, failure, h, head, notice, number, plural, redraw, short, time, toast } from "../ui.js";

let view = null;

const waits = (plan) => plan.status === "proposed" || plan.status === "waiting";

/** Why this person cannot approve it, or null. */
function refused(plan, ctx) {
  if (!waits(plan)) return `It is ${plan.status}.`;
  if (!ctx.may("approver")) return "Only approvers approve.";
  if (plan.proposer === ctx.session.operator) return "You proposed it: somebody else has to approve it.";
  if (plan.approvals.some((a) => a.operator === ctx.session.operator)) return "You have approved it.";
  if (ctx.session.method === "certificate") return `You are logged in with a certificate, which cannot approve in a browser: lintel approve ${plan.id}`;
  return null;
}

const run = (plan) => change(`plans/${plan.id}/run`, {});

function approvalCard(plan, statement, ctx, done) {
  const why = refused(plan, ctx);
  const wrong = h("div");
  const yes = button("Approve with passkey", { kind: "danger", disabled: Boolean(why), onclick: async () => {
    yes.disabled = true;
    wrong.replaceChildren();
    try {
      await approve(plan);
      const now = await get(`plans/${plan.id}`);
      if ((now.plan ?? now).status === "approved") await run(plan); // the last approval starts it
      toast("Approved.");
      await done();
    } catch (e) {
      wrong.replaceChildren(failure(e));
      yes.disabled = false;
    }
  } });
  const missing = Math.max(0, plan.needed - plan.approvals.length);
  return card("Approval", [
    facts([["Needed", plural(plan.needed, "approval")], ["Still missing", waits(plan) ? number(missing) : null], ["Expires", waits(plan) ? countdown(plan.expires, { began: plan.created }) : null]]),
    plan.approvals.length ? h("ul", { class: "approvals" }, plan.approvals.map((a) => h("li", null, badge("approved", "ok"), " ", h("b", null, a.operator), " ", time(a.signed)))) : null,
    statement ? [h("h3", null, "What is signed, to the byte"), h("pre", { class: "statement", tabindex: "0" }, statement)] : null,
    wrong, why ? h("p", { class: "quiet" }, why) : null, waits(plan) ? h("div", { class: "row" }, yes) : null,
    plan.status === "approved" && ctx.may("operator", "approver") ? h("div", { class: "row" }, button("Run it now", { kind: "danger", onclick: async () => { try { await run(plan); await done(); } catch (e) { wrong.replaceChildren(failure(e)); } } })) : null,
  ], { level: waits(plan) && !why ? "warning" : null });
}

async function what(plan, ctx) {
  if (plan.action !== "mass.revoke") return card("What it would do", facts(Object.entries(plan.parameters ?? {}).map(([k, v]) => [k.replaceAll("-", " "), typeof v === "object" ? JSON.stringify(v) : String(v)])));
  const mass = await get(`masses/${plan.parameters.mass}`, null, { signal: ctx.signal });
  const incident = /^incident (\d+)/.exec(mass.note ?? "")?.[1];
  return card("What it would do", [facts([["Revokes", plural(mass.count, "certificate")], ["Reason on the CRL", mass.reason], ["Why", mass.cause?.replaceAll("-", " ")], ["Which", h("code", null, mass.scope)], ["Deadline", mass.must ? time(mass.must) : null], ["Run", [h("code", null, mass.id), " ", badge(mass.status)]],
    ["Incident", incident ? h("a", { href: `/console/incidents/${incident}?view=revocation` }, `incident ${incident}`) : null], ["Members, Merkle root", short(mass.root, 16, 8)], ["How to stop", "Pause or stop it on the incident's page at any time. What is revoked stays revoked."]]), tierTable(mass)]);
}

async function parts(id, ctx, done) {
  const doc = await get(`plans/${id}`, null, { signal: ctx.signal });
  const plan = doc.plan ?? doc;
  const statement = session.statement ? await session.statement(plan) : "";
  return [head(ACTIONS[plan.action] ?? plan.action, { trail: [["Approvals", "/console/plans"], [plan.id, `/console/plans/${plan.id}`]], state: badge(waits(plan) ? "waits for approval" : plan.status, waits(plan) ? "warning" : plan.status === "done" ? "ok" : "quiet"), text: `Proposed by ${plan.proposer}` }),
    plan.result && plan.result !== "done" ? notice("info", plan.result) : null, cards(await what(plan, ctx), approvalCard(plan, statement, ctx, done))];
}

export async function show(ctx) {
  const root = h("div", { class: "plan-page" });
  const refresh = async () => { const list = await parts(ctx.match[1], ctx, refresh); if (!ctx.signal.aborted) redraw(root, list); };
  view = { event: JSON.stringify(ctx.overview?.event), refresh };
  await refresh();
  return root.firstChild ? root : empty("There is no such plan.");
}

export function live(event) {
  const newest = JSON.stringify(event.data.event);
  if (!view || newest === view.event) return;
  view.event = newest;
  view.refresh().catch((e) => { if (e.name !== "AbortError") console.error(e); });
}
