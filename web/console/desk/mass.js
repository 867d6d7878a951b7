// A mass revocation: its tiers as one bar that moves, and the buttons that stop it.
import { change, get } from "../api.js";
import { badge, button, card, confirm, facts, h, more, number, plural, progress, redraw, short, table, tiers, time, toast } from "../ui.js";

const EACH_MS = 250; // while it runs; a hundred thousand take two seconds
const WAIT_MS = 500; // for the approval that starts it
const MOVES = ["freezing", "sealing", "checking", "running"];

const PLAIN = [
  [/finding = caa_forbidden/, "CAA forbids us"],
  [/replacement = deployed/, "replaced, deployed"],
  [/replacement = not_seen/, "replaced, not seen"],
  [/readiness = automatic|tier = automatic/, "automatic"],
  [/readiness = unattended|tier = unattended/, "unattended"],
  [/readiness = reachable|tier = reachable/, "reachable"],
  [/readiness = by-hand|tier = by-hand/, "by hand"],
];

/** What sets a tier apart, in a word: the last thing its expression demands. */
export function tierName(tier, list) {
  const demanded = tier.scope.replace(/ and not \([^()]*(?:\([^()]*\)[^()]*)*\)/g, "").replace(/ and not [a-z_]+ = [a-z_-]+/g, "");
  const found = PLAIN.filter(([pattern]) => pattern.test(demanded)).map(([, words]) => words);
  if (found.length) return found.join(" or ");
  return tier.tier === list.length - 1 && list.length > 1 ? "everything else" : `tier ${tier.tier}`;
}

const shown = (mass) => mass.tiers.filter((t) => t.count > 0).map((t) => ({ tier: t.tier, total: t.count, done: t.done, name: tierName(t, mass.tiers) }));

const act = (mass, verb, yes, text, body = {}) => async () => {
  if (!(await confirm({ title: `${yes} ${mass.id}?`, text, yes, kind: verb === "stop" ? "danger" : "primary" }))) return;
  await change(`masses/${mass.id}/${verb}`, body);
  toast(`${mass.id}: ${verb}.`);
};

function buttons(mass, ctx) {
  if (!ctx.may("operator")) return null;
  const list = [];
  if (mass.status === "running") list.push(button("Pause", { onclick: act(mass, "pause", "Pause", "No further certificate is revoked until somebody resumes it. What is revoked stays revoked.") }));
  if (mass.status === "paused") list.push(button("Resume", { kind: "primary", onclick: act(mass, "resume", "Resume", `Goes on with the ${number(mass.count - mass.done)} that are left. They cannot be taken back.`) }));
  if (["running", "paused", "proposed", "checking"].includes(mass.status)) list.push(button("Stop for good", { onclick: act(mass, "stop", "Stop for good", "It ends here and cannot be resumed; the rest would need a new plan. What is revoked stays revoked.") }));
  return list;
}

function draw(mass, ctx) {
  const left = mass.count - mass.done;
  return [
    h("div", { class: "row mass-state" }, badge(mass.status, mass.status === "done" ? "ok" : undefined), h("b", null, plural(mass.count, "certificate")),
      mass.why ? h("span", { class: "quiet" }, mass.why) : null, h("span", { class: "push" }), buttons(mass, ctx)),
    mass.tiers.length ? tiers(shown(mass), { label: `Tiers of ${mass.id}` }) : null,
    progress({ done: mass.done, total: mass.count, rate: mass.status === "running" ? mass.per_second : 0, eta_s: mass.per_second > 0 && mass.status === "running" ? left / mass.per_second : 0, state: mass.status, label: `Revoked of ${mass.id}` }),
  ];
}

/** Details of the run, below the bar. */
export function massFacts(mass) {
  return facts([["Run", h("code", null, mass.id)], ["Reason", mass.reason], ["Revoked", number(mass.revoked)], ["Were revoked already", mass.already ? number(mass.already) : null],
    ["Kept by a court's order", mass.held ? number(mass.held) : null], ["Started", mass.started ? time(mass.started) : null], ["Approval", mass.plan ? h("a", { href: `/console/plans/${mass.plan}` }, mass.plan) : null],
    ["List", short(mass.root, 12, 8)], ["Late because", mass.late_because]]);
}

/** What is in each tier. */
export const tierTable = (mass) => more("What is in the tiers", table({ caption: "Tiers", rows: mass.tiers, columns: [
  { name: "Tier", value: (t) => t.tier, num: true, head: true }, { name: "Certificates", value: (t) => t.count, num: true }, { name: "Done", value: (t) => t.done, num: true },
  { name: "Expression", value: (t) => h("code", null, t.scope), class: "wide" }] }));

/**
 * A card with the run, which redraws itself while it moves and the page is shown. ended(mass): called when it has come to another state and does not move.
 * Element has refresh().
 */
export function massCard(mass, ctx, options = {}) {
  const body = h("div", { class: "mass", "aria-live": "off" }, draw(mass, ctx));
  let last = JSON.stringify(mass);
  let timer = 0;
  function again(now) {
    const wait = MOVES.includes(now.status) ? EACH_MS : now.status === "proposed" ? WAIT_MS : 0;
    if (wait) timer = setTimeout(refresh, document.hidden ? wait * 20 : wait);
  }
  async function refresh() {
    clearTimeout(timer);
    if (ctx.signal.aborted) return;
    try {
      const now = await get(`masses/${mass.id}`, null, { signal: ctx.signal });
      const text = JSON.stringify(now);
      if (text !== last) redraw(body, draw(now, ctx));
      if (now.status === "paused") el.dataset.level = "warning";
      else delete el.dataset.level;
      const moved = JSON.parse(last).status !== now.status && !MOVES.includes(now.status);
      last = text;
      if (moved) options.ended?.(now);
      again(now);
    } catch (e) {
      if (e.name !== "AbortError") timer = setTimeout(refresh, WAIT_MS * 6);
    }
  }
  ctx.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  again(mass);
  const el = card(options.title ?? "Revocation", [body, options.more ?? null], { class: "span-12", level: mass.status === "paused" ? "warning" : null });
  el.refresh = refresh;
  return el;
}
