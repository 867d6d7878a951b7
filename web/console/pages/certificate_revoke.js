// Revoking one certificate: what it would do is counted first, the clocks of the cause are shown, then one button that names it.
import { ask, change, get } from "../api.js";
import { dangerous, field, h, more, number, plural, relative, select, time, toast } from "../ui.js";

const KEY_COMPROMISE = 1;

function causeChoices(causes, smime) {
  const kind = smime ? "smime" : "tls";
  return [["", "none: no rule asks for it"], ...causes.filter((c) => c.kind === kind).map((c) => [c.cause, `${c.words} (${c.section})`])];
}

const stamp = (local) => (local ? new Date(local + (local.endsWith("Z") ? "" : "Z")).toISOString().slice(0, 19) + "Z" : "");

/** What is asked before: why, since when, and what the CRL will say. */
function fieldsOf(c, causes, reasons) {
  const cause = select("cause", causeChoices(causes, c.profile.startsWith("smime")), "");
  const reason = select("reason", reasons.map((r) => [String(r.reason), r.name]), "0");
  cause.addEventListener("change", () => {
    const found = causes.find((k) => k.cause === cause.value);
    reason.disabled = Boolean(found);
    if (found) reason.value = String(found.reason);
  });
  const dated = field("Compromised since (UTC)", h("input", { type: "datetime-local", name: "dated", step: "1" }), { hint: "Its CRL entry is dated back to then. Empty: now" });
  const follow = () => { dated.hidden = reason.value !== String(KEY_COMPROMISE); };
  for (const control of [cause, reason]) control.addEventListener("change", follow);
  follow();
  return [
    field("Why it must be revoked", cause, { hint: "The rule's own reason is taken, and its clocks run." }),
    h("div", { class: "pair" }, field("Reason in the CRL", reason), field("Known since (UTC)", h("input", { type: "datetime-local", name: "aware", step: "1" }))), dated,
    field("Note, kept with the event", h("input", { name: "text", maxlength: "300", autocomplete: "off" })),
    more("The clock that should be kept has run out", field("Why", h("input", { name: "late", maxlength: "300", autocomplete: "off" }))),
  ];
}

function clockFacts(cause, aware) {
  if (!cause) return [["Clock", "none runs: no rule is named"]];
  const from = aware ? Date.parse(aware) : Date.now();
  const at = (seconds) => new Date(from + seconds * 1000).toISOString();
  return [["Must be revoked by", [time(at(cause.must_s)), ` (${relative(at(cause.must_s))}; ${cause.section})`]], cause.should_s ? ["Should be by", time(at(cause.should_s))] : null].filter(Boolean);
}

async function others(c) {
  const doc = await ask("scope/count", `key = ${c.spki_sha256} and status = valid`, { params: { within: 2000 } });
  return doc.count === null ? null : Math.max(0, doc.count - 1);
}

function planOf(c, values, causes, sameKey, endpoints) {
  const cause = causes.find((k) => k.cause === values.get("cause")) ?? null;
  const reason = cause ? cause.reason : Number(values.get("reason") ?? 0);
  const aware = stamp(values.get("aware"));
  const compromise = reason === KEY_COMPROMISE;
  const dated = compromise ? stamp(values.get("dated")) : "";
  const held = c.hold && !compromise ? `It may not be revoked: ${c.hold.reason} (${c.hold.reference}). Lift the hold first.` : null;
  const early = dated && dated < c.not_before ? "It would be compromised before it existed." : null;
  const future = (aware && Date.parse(aware) > Date.now()) || (dated && Date.parse(dated) > Date.now()) ? "Nobody knows of the future." : null;
  const used = endpoints.length ? `It was seen in use at ${plural(endpoints.length, "place")}; ${c.replacement === "in_use" ? "a later one is in use as well" : "no later one was seen there"}.` : "No scan has seen it in use.";
  return {
    refuse: held ?? early ?? future,
    effect: [`Revokes the certificate ${c.serial} of ${c.issuer}`, c.names.length ? ` for ${c.names[0].name}${c.names.length > 1 ? ` and ${plural(c.names.length - 1, "other name")}` : ""}` : "", ".",
      compromise ? ` Blocks its key for good${sameKey === null ? ", and proposes to revoke all other certificates of that key." : sameKey > 0 ? `, and proposes to revoke the ${plural(sameKey, "other certificate")} of that key.` : "; no other certificate has it."}` : ""],
    facts: [["State now", `${c.status}, until ${c.not_after.slice(0, 10)}`], ["In use", used], ...clockFacts(cause, aware)],
    lasts: "at once in the book; in its CRL within moments, in OCSP with it",
    stop: "Nothing undoes a revocation. Cancel here changes nothing.",
    approvals: 0,
    verb: compromise ? "Revoke and block its key" : "Revoke this certificate",
    payload: { issuer: c.issuer, reason, text: values.get("text") ?? "", ...(cause ? { cause: cause.cause } : {}), ...(aware && cause ? { aware } : {}), ...(dated ? { "dated-back-to": dated } : {}), ...(values.get("late") && cause ? { "late-because": values.get("late") } : {}) },
  };
}

/** Resolves to the answer, or null when it was left. */
export async function revoke(ctx, c, endpoints) {
  const [{ causes, reasons }, sameKey] = await Promise.all([get("causes"), others(c)]);
  const answer = await dangerous({
    title: "Revoke this certificate",
    fields: fieldsOf(c, causes, reasons),
    plan: async (values) => planOf(c, values, causes, sameKey, endpoints),
    run: (plan) => change(`certificates/${c.serial}/revoke`, plan.payload),
  });
  if (answer) toast(`Revoked. Its next CRL says so within moments${sameKey > 0 && answer.reason === "keyCompromise" ? `; a plan for ${number(sameKey)} others of its key is proposed` : ""}.`);
  return answer;
}
