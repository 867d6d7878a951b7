// Plans that wait for somebody else's approval; and what was approved before.
import { source } from "../api.js";
import { ACTIONS } from "../desk/plans.js";
import { badge, countdown, empty, h, head, number, table, time } from "../ui.js";

const waits = (p) => p.status === "proposed" || p.status === "waiting";

const columns = [
  { name: "Plan", value: (p) => h("a", { href: `/console/plans/${p.id}` }, ACTIONS[p.action] ?? p.action), head: true, class: "wide" },
  { name: "Certificates", value: (p) => (p.count ? number(p.count) : null), num: true },
  { name: "State", value: (p) => badge(waits(p) ? "waits for approval" : p.status, waits(p) ? "warning" : p.status === "done" ? "ok" : "quiet") },
  { name: "Proposed by", value: (p) => p.proposer }, { name: "Proposed", value: (p) => time(p.created, { seconds: false }) },
  { name: "Expires", value: (p) => (waits(p) ? countdown(p.expires, { began: p.created }) : null) },
];

export async function show() {
  return h("div", null, head("Approvals", { text: "What is dangerous is proposed by one person and approved by others. An approval signs the plan's exact bytes." }),
    table({ caption: "Plans", columns, unit: ["plan"], key: (p) => p.id, source: source("plans", "plans"), empty: empty("No plan so far.", "Mass revocations, lifted halts and other dangerous actions show up here before they run.") }));
}
