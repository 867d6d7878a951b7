// What the desk's short words mean: duties, states, events, roles. A word that is not here is shown as it is.
import { short } from "../ui.js";

const DUTIES = {
  "cpr-findings": "Preliminary findings to reporter and subscribers",
  "irg-1": "Preliminary incident report",
  "irg-2": "Full incident report",
  "irg-3": "Answer to a question",
  "irg-4": "Next update of the report",
  "irg-5": "Change of an action item told",
  "irg-6": "Update of the delay, with four numbers",
  "irg-7": "Correction of the impact",
  "irg-8": "Closure summary",
  "irg-9": "Report of the delayed revocation",
  "irg-11": "Report to the root programs' security contacts",
  "mass-plan-test": "Yearly test of the mass revocation plan",
};

/** A duty's code in words: "irg-1" → "Preliminary incident report". */
export function duty(code) {
  if (DUTIES[code]) return DUTIES[code];
  const revoke = /^revoke-[a-z]+\/(.+)$/.exec(code);
  if (revoke) return `Revocation: ${revoke[1].replaceAll("-", " ")}`;
  if (code.startsWith("revoke-")) return "Revocation";
  return code.replaceAll("-", " ");
}

/** Where a subject of the book is shown: "incident 12" → its page, or null. */
export function subjectHref(subject) {
  const found = /^(incident|problem) (\d+)$/.exec(subject ?? "");
  return found ? `/console/${found[1] === "incident" ? "incidents" : "problems"}/${found[2]}` : null;
}

/** A subject as people read it: long hashes are cut, the whole is on hover. */
export function subjectName(subject) {
  const found = /^(\S+) ([0-9a-f]{20,})$/.exec(subject ?? "");
  return found ? [found[1], " ", short(found[2])] : subject;
}

/** The ten states of an incident, in order, with what each is for. */
export const STATES = [
  ["detected", "something was seen"],
  ["declared", "somebody took it on"],
  ["contained", "what goes wrong is stopped"],
  ["scoped", "the certificates are known"],
  ["notifying", "subscribers are told"],
  ["replacing", "clients are asked to renew"],
  ["revoking", "certificates are revoked"],
  ["reporting", "the public is told"],
  ["learning", "promises are kept"],
  ["closed", "it is over"],
];

/** Steps by hand and the states that take them; everything else follows from what is done. */
export const STEPS = [
  { event: "declare", name: "Declare", from: ["detected"], text: "Somebody takes it on: roles are given, and it counts as an incident." },
  { event: "dismiss", name: "Dismiss", from: ["detected", "declared"], text: "It was none. Its clocks end; a clock of revocation is ended by an approver alone." },
  { event: "notify", name: "Notifying", from: ["scoped"], text: "Subscribers are told in another way than by notices from here." },
  { event: "replace", name: "Replacing", from: ["scoped", "notifying"], text: "Replacement goes on without windows from a plan." },
  { event: "report", name: "Reporting", from: ["declared", "contained", "scoped", "replacing", "revoking", "learning"], text: "Nothing is left to revoke: the public reports are what is due." },
  { event: "learn", name: "Learning", from: ["reporting"], text: "The full report is out; what is left are promises." },
  { event: "reopen", name: "Reopen", from: ["closed"], text: "Somebody asks, or it was not over." },
];

export const ROLES = ["commander", "scribe", "communications", "revocation", "legal", "liaison"];
export const SEVERITIES = ["critical", "high", "medium", "low"];
export const HALTS = [
  ["issuer", "an issuer"], ["profile", "a profile"], ["method", "a method of validation"], ["account", "an account"],
];
export const CATEGORIES = ["people", "process", "tools", "software", "environment", "measurement"];
export const KINDS = ["Prevent", "Mitigate", "Detect"];
export const LESSONS = [["well", "What went well"], ["not-well", "What didn’t go well"], ["lucky", "Where we got lucky"], ["additional", "Additional"]];
export const REPORTS = [
  ["preliminary", "Preliminary", "irg-1"], ["full", "Full", "irg-2"], ["delayed", "Delayed revocation", "irg-9"], ["closure", "Closure summary", "irg-8"],
];

/** Levels of severities. */
export const severityLevel = (s) => ({ critical: "bad", high: "warning", medium: "info" })[s] ?? "quiet";

/** The level of an incident's state: until it is contained something goes on going wrong. */
export const stateLevel = (status) => (["detected", "declared"].includes(status) ? "warning" : status === "closed" ? "ok" : "info");
