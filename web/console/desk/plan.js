// Planning a revocation as lintel incident plan does: tiers by what has become of each certificate, windows that the measured capacity can bear.
// Nothing is revoked by it.
import { ask, change, get } from "../api.js";
import { dangerous, duration, number, plural, time, toast } from "../ui.js";
import { inputs, payload } from "./forms.js";

const RESERVE_S = 900;
const REVOKED_PER_S = 20000; // where no run tells
const PUBLISH_S = 60;
const WAIT_MS = 300;
const WAITS = 2000;

const FIELDS = (measured) => [
  { name: "per-hour", label: "Replacements an hour", type: "number", needed: measured <= 0, value: measured > 0 ? measured : "", hint: measured > 0 ? "From the busiest minute of the last 30 days." : "Nothing was issued lately that tells what can be: say how many." },
  { name: "until", label: "The last window closes", type: "time", hint: "UTC. Left empty: half of the time until the deadline." },
];

/** What was measured, and from it how many can be replaced an hour. */
async function capacityOf(incident, signal) {
  const measured = await get(`incidents/${incident.id}/capacity`, null, { signal });
  const signed = measured.signing.per_second * 3600;
  return { measured, perHour: Math.min(measured.issuance.per_hour, signed) || 0 };
}

const reserve = (measured, count) => Math.max(RESERVE_S, Math.round(2 * (count / (measured.revocation.per_second || REVOKED_PER_S) + measured.crl.slowest_ms / 1000 + PUBLISH_S)));

/** How many each tier would have, in the order in which they are revoked. */
async function countTiers(scope, tiers) {
  const parts = [...tiers.map((t, i) => [t.words, tiers.slice(0, i), t.scope]), ["everything else", tiers, null]];
  return Promise.all(parts.map(async ([words, before, mine]) => {
    const text = `(${scope})${before.map((t) => ` and not (${t.scope})`).join("")}${mine ? ` and (${mine})` : ""}`;
    return [words, (await ask("scope/count", text)).count];
  }));
}

async function waitForPlan(incident, version) {
  for (let i = 0; i < WAITS; i++) {
    const doc = (await get(`incidents/${incident.id}`)).incident;
    const plan = doc.plans.find((p) => p.version === version);
    if (plan && plan.status !== "freezing") return plan;
    await new Promise((done) => setTimeout(done, WAIT_MS));
  }
  throw new Error("The list is still being frozen. This page shows the plan when it is done.");
}

async function freeze(incident, scope, plan, sent) {
  const causes = incident.cause ? (await get("causes")).causes : [];
  const cause = causes.find((c) => c.cause === incident.cause);
  const mass = await change("masses", {
    scope, tiers: plan.tiers.map((t) => t.scope), note: `incident ${incident.id}, scope ${incident.scope_version}`, reason: cause?.reason ?? 4,
    ...(incident.cause ? { cause: incident.cause, aware: incident.aware } : {}),
  });
  const perHour = sent["per-hour"] ?? plan.capacity.perHour;
  const capacity = { ...plan.capacity.measured, used: { per_hour: perHour, how: sent["per-hour"] === plan.capacity.perHour ? "the busiest minute of the last 30 days" : "given" } };
  const answer = await change(`incidents/${incident.id}/plan`, {
    mass: mass.id, "per-hour": perHour, "reserve-s": reserve(plan.capacity.measured, plan.count), "replaced-tiers": plan.tiers.filter((t) => t.replaced).length, capacity: JSON.stringify(capacity),
    ...(sent.until ? { until: sent.until } : {}),
  });
  return waitForPlan(incident, answer.version);
}

/** Asks how fast, shows what it would be, freezes the list and sets the windows. */
export async function planRevocation(incident, ctx, done) {
  const scope = incident.scopes[0].scope;
  const [capacity, choices] = await Promise.all([capacityOf(incident, ctx.signal), get("incident-choices", null, { signal: ctx.signal })]);
  const fields = FIELDS(capacity.perHour);
  const counted = countTiers(scope, choices.tiers);
  const plan = await dangerous({
    title: "Plan the revocation", fields: inputs(fields),
    async plan(data) {
      const tiers = await counted;
      const count = tiers.reduce((sum, [, n]) => sum + n, 0);
      const perHour = Number(data.get("per-hour")) || capacity.perHour;
      const replaced = tiers.slice(0, choices.tiers.filter((t) => t.replaced).length).reduce((sum, [, n]) => sum + n, 0);
      return { count, tiers: choices.tiers, capacity, effect: `Freezes the list of ${plural(count, "certificate")} and asks their clients to renew`, verb: `Freeze ${number(count)}`,
        refuse: perHour > 0 ? null : "Say how many replacements can be issued in an hour.",
        facts: [...tiers.filter(([, n]) => n > 0).map(([words, n]) => [words, number(n)]), ["Deadline", incident.must ? time(incident.must) : "none"], ["Kept for revoking and publishing", duration(reserve(capacity.measured, count))]],
        lasts: perHour > 0 ? `${duration(((count - replaced) / perHour) * 3600)} to replace those that are not yet` : null, stop: "Nothing is revoked by this. Plan again to replace it.", approvals: 0 };
    },
    run: (found, data) => freeze(incident, scope, found, payload(fields, data)),
  });
  if (plan) { toast(`Plan ${plan.version}: ${plural(plan.count, "certificate")}, windows until ${String(plan.last_closes).slice(0, 16).replace("T", " ")}.`); done(); }
}

/** Starts it, or says whose approval it waits for. */
export async function startRevocation(incident, plan, ctx, done) {
  const fields = [
    { name: "stop-after", label: "Pause after tier", type: "number", hint: "Left empty: it goes on to the last." },
    { name: "late-because", label: "Why it is late", type: "area", rows: 2, hint: "Asked for when the deadline is over." },
    { name: "expires", label: "May be approved until", type: "time", hint: "UTC. Left empty: within a day." },
  ];
  const approval = plan.approval ? await get(`plans/${plan.approval}`, null, { signal: ctx.signal }) : null;
  const have = approval?.approvals?.length ?? 0;
  const left = approval && ["proposed", "waiting"].includes(approval.status) ? Math.max(0, approval.needed - have) : 0;
  const answer = await dangerous({
    title: "Revoke the frozen list", fields: inputs(fields),
    plan: async () => ({ effect: `Revokes ${plural(plan.members, "certificate")}, tier by tier`, verb: left ? "Propose it" : `Revoke ${number(plan.members)}`, lasts: `about ${duration(Math.max(1, plan.members / REVOKED_PER_S))}, and a minute until the CRLs are published`,
      stop: "Pause or stop it here at any time. What is revoked stays revoked.", approvals: left, facts: [["Deadline", plan.must ? time(plan.must) : "none"], ["Replaced already", number(plan.replaced_already)]] }),
    run: (_, data) => change(`incidents/${incident.id}/revoke`, payload(fields, data)),
  });
  if (answer) { toast(left ? "Proposed: it starts with the last approval." : "It runs."); done(answer); }
}
