// How ready a subscriber is, in the same words everywhere.
import { badge, h, time, timeline } from "../ui.js";

export const TIERS = ["automatic", "unattended", "reachable", "by-hand", "hold-out"];
const LEVEL = { automatic: "ok", unattended: "ok", reachable: "info", "by-hand": "warning", "hold-out": "bad" };
const MEANS = {
  automatic: "asks when to renew and does: a window is enough", unattended: "renews by itself at its own time", reachable: "somebody reads our letters and has agreed to help",
  "by-hand": "somebody must be found first", "hold-out": "will not, or says that it cannot",
};
const OUTCOME = { reached: "ok", "will-replace": "ok", refuses: "bad", "no-answer": "warning", "wrong-number": "warning" };

export const tierBadge = (tier) => badge(tier, LEVEL[tier] ?? "quiet");
export const tierMeans = (tier) => MEANS[tier] ?? "";
export const factWords = (facts) => (facts?.length ? facts.map((f) => f.replaceAll("-", " ")).join(", ") : "nothing is known of it");

/** Calls, newest first. */
export const calls = (list) => timeline(list.map((c) => ({ time: time(c.called, { seconds: false }), title: [badge(c.outcome, OUTCOME[c.outcome] ?? "quiet"), c.who === null ? h("span", { class: "quiet" }, " with whom is for operators and auditors") : ` ${c.who}`], text: [c.note, c.note ? h("br") : null, `by ${c.by}`, c.again ? [", again at ", time(c.again)] : null], level: OUTCOME[c.outcome] ?? "quiet" })));
