// One problem report: what is claimed, what the book says of it, the thread with its reporter, and findings to both sides.
import { get } from "../api.js";
import { clockStrip } from "../desk/clocks.js";
import { act } from "../desk/forms.js";
import { openIncident } from "./incidents.js";
import { badge, button, card, cards, copyable, download, empty, facts, h, head, more, number, plural, redraw, short, table, time } from "../ui.js";

let view = null;

const AUTHORITIES = [["subscriber", "the subscriber"], ["domain", "who controls a domain of it"], ["key", "who has the key"], ["supplier", "a supplier of software"], ["law", "the law"], ["other", "somebody else"]];
const DECISIONS = [["revoke", "Revoke: the report is right"], ["none", "Nothing: it is not as reported"], ["takedown", "About content: who can help is told"], ["duplicate", "The same as another report"], ["unclear", "Not clear yet"]];
const PEOPLE = [["reporter", "the reporter"], ["requester", "the subscriber"], ["provider", "a provider, network or host"]];

const certificateHref = (c) => `/console/certificates/${c.serial}${c.issuer ? `?issuer=${encodeURIComponent(c.issuer)}` : ""}`;

function about(problem) {
  if (!problem.about.length) return empty("No certificate of ours is found by what was said.", "“Correct” names serials, SHA-256 hashes, crt.sh links or names that it is about.");
  return table({ caption: "What it is about", rows: problem.about, columns: [
    { name: "Named as", value: (a) => a.kind }, { name: "Value", value: (a) => short(a.value, 28, 8), head: true, class: "wide" },
    { name: "Ours", value: (a) => (a.known && a.serial ? h("a", { href: certificateHref(a) }, short(a.serial)) : a.known ? "yes" : h("span", { class: "quiet" }, "no")) }] });
}

const verdicts = (rules) => table({ caption: "Rules of that clause", rows: rules, columns: [{ name: "Rule", value: (r) => r.rule, head: true }, { name: "Asks", value: (r) => r.asks, class: "wide" }, { name: "At issuance", value: (r) => badge(r.then, r.then === "fail" || r.then === "error" ? "bad" : undefined) }, { name: "Today", value: (r) => badge(r.now, r.now === "fail" || r.now === "error" ? "bad" : undefined) }] });

function triageCertificate(c) {
  const cert = c.certificate ?? {};
  return h("li", { class: "triage-cert" }, h("div", { class: "row" }, cert.serial ? h("a", { href: certificateHref(cert) }, short(cert.serial, 14, 6)) : h("code", null, c.value), cert.status ? badge(cert.status) : null, h("span", { class: "quiet" }, (cert.names ?? []).map((n) => n.name ?? n).slice(0, 4).join(", "))),
    facts([["Issued", cert.issued ? time(cert.issued) : null], ["By which rules", cert.rule_set], ["By which build", cert.build], ["Other reports about it", c.other_reports?.length ? c.other_reports.map((r) => [h("a", { href: `/console/problems/${r.id}` }, String(r.id)), " "]) : null], ["Reports about its subscriber", c.other_reports_of_subscriber || null]]),
    (c.clauses ?? []).filter((x) => x.rules?.length).map((x) => more(`${x.clause}: ${plural(x.rules.length, "rule")}`, x.text?.map((t) => h("blockquote", null, t.words)), verdicts(x.rules))));
}

function triage(doc) {
  const ground = doc.ground;
  return h("div", { class: "stacked" }, facts([["Ground that is claimed", ground.claimed ? [h("b", null, ground.words ?? ground.claimed), " ", h("span", { class: "quiet" }, ground.section)] : "none yet"], ["Would have to be revoked by", ground.must ? time(ground.must) : null], ["In the words of the rule", ground.quote ? h("blockquote", null, ground.quote) : null],
    ["About content", ground.takedown ? ground.takedown_means : null], ["Certificates of ours", number(doc.certificates_known)], ["Domains the reporter has shown control of", doc.reporter.domains_proven.join(", ")]]),
  doc.certificates.length ? h("ul", { class: "triage" }, doc.certificates.map(triageCertificate)) : null,
  h("h3", null, "What only a person can say"), h("ul", { class: "questions" }, doc.for_a_person.map((q) => h("li", null, q))));
}

const thread = (list) => h("ol", { class: "thread" }, list.map((m) => h("li", { "data-to": m.to, "data-shown": m.shown ? "" : null }, h("div", { class: "thread-head quiet small" }, h("b", null, m.by), m.to ? ` to ${m.to}` : "", ", ", time(m.at, { seconds: false }), " · ", m.kind, m.shown ? null : " · not shown to the reporter"), h("div", { class: "thread-text" }, m.text))));

function proofs(list) {
  if (!list.length) return null;
  return card("The key is compromised", h("ul", { class: "proofs" }, list.map((p) => h("li", null, badge("proven by machine", "bad"), " ", h("span", { class: "quiet" }, p.proof.replaceAll("-", " ")),
    facts([["Key, SHA-256", h("a", { href: `/console/inventory?q=${p.spki_sha256}` }, short(p.spki_sha256, 16, 8))], ["Proven", time(p.proven)], ["Certificates with it", number(p.certificates)], ["All revoked", p.revoked ? [time(p.revoked), ` (${number(p.milliseconds)} ms after the proof)`] : "being revoked"], ["What is left to do", p.step === "done" ? null : p.step]])))), { level: "warning" });
}

function actions(problem, doc, ctx, done) {
  if (!ctx.may("operator")) return null;
  const base = `problems/${problem.id}`;
  const asked = (title, path, fields, more_ = {}) => async () => { if (await act({ title, path: `${base}/${path}`, fields, ...more_ })) done(); };
  const text = (label, name = "text") => ({ name, label, type: "area", rows: 5, needed: true });
  const findings = asked("Findings to both sides", "findings", [{ name: "decision", label: "Decision", type: "select", choices: DECISIONS, needed: true, value: doc?.certificates_known ? "revoke" : "none" }, text("To the reporter"), { name: "to-subscriber", label: "To the subscribers", type: "area", rows: 4, hint: "Left empty: the same words" },
    { name: "same", label: "Also to everybody who reported no more than this", type: "check" }], { kind: "danger", yes: "Send the findings", done: "Findings leave; the clock is met when they are taken.", text: "They go to the reporter and to each subscriber of the certificates. Letters cannot be called back." });
  const edit = async () => { const causes = (await get("causes")).causes; return asked("Correct what is known", "edit", [{ name: "cause", label: "Ground", type: "select", choices: causes.map((c) => [c.cause, c.words]), value: problem.cause }, { name: "authority", label: "Who reports", type: "select", choices: AUTHORITIES, value: problem.authority }, { name: "clause", label: "Clause", value: problem.clause }, { name: "contact", label: "Mail address" },
    { name: "about", label: "Certificates or names it is about", type: "lines", hint: "One a line" }], { done: "Corrected." })(); };
  const link = async () => { const open = (await get("incidents", { status: "open" })).incidents; if (!open.length) return openIncident(ctx, { title: problem.title, source: "problem-report", fixed: { problem: problem.id } }); return asked("Tie it to an incident", "link", [{ name: "incident", label: "Incident", type: "select", needed: true, choices: open.map((i) => [String(i.id), `${i.id}: ${i.title.slice(0, 60)}`]) }], { done: "Tied." , fixed: {} })(); };
  return h("div", { class: "row" },
    problem.told || problem.status === "closed" ? null : button("Give findings", { kind: "primary", onclick: findings }), problem.status === "closed" ? button("Reopen", { onclick: asked("Reopen", "reopen", [text("Why")], { done: "Open again; its clock runs from the receipt." }) }) : null,
    button("Write to the reporter", { onclick: asked("To the reporter", "reply", [text("Words"), { name: "wait", label: "It waits for the answer", type: "check" }], { yes: "Send", done: "Sent." }) }),
    button("Wait for somebody", { onclick: asked("Who was asked?", "wait", [{ name: "on", label: "Asked", type: "select", choices: PEOPLE, needed: true, value: "requester" }, text("What was asked")], { done: "Noted. The clock goes on." }) }),
    button("Correct", { onclick: edit }), problem.incident ? null : button("Tie to an incident", { onclick: link }), problem.incident ? null : button("Open an incident", { onclick: () => openIncident(ctx, { title: problem.title, source: "problem-report", fixed: { problem: problem.id } }) }),
    button("Note", { onclick: asked("A note", "note", [text("Words")], { done: "Noted. The reporter does not see it." }) }),
    problem.told && problem.status !== "closed" ? button("Close", { onclick: asked("Close the report", "close", [text("Why it is done with")], { done: "Closed." }) }) : null);
}

async function raw(problem) {
  const doc = await get(`problems/${problem.id}/raw`);
  const bytes = Uint8Array.from(atob((doc.data ?? doc.raw ?? "").replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  download(`problem-${problem.id}.eml`, bytes, "message/rfc822");
}

async function parts(id, ctx, done) {
  const [problem, doc, proven] = await Promise.all([get(`problems/${id}`, null, { signal: ctx.signal }), get(`problems/${id}/triage`, null, { signal: ctx.signal }).catch(() => null), get("proofs", { limit: 200 }, { signal: ctx.signal }).catch(() => ({ proofs: [] }))]);
  const mine = (proven.proofs ?? []).filter((p) => Number(p.problem) === Number(id));
  return [
    head(problem.title || `Problem ${id}`, { trail: [["Problem desk", "/console/problems"], [`Problem ${id}`, `/console/problems/${id}`]], state: badge(problem.status, { open: "warning", received: "warning", answered: "ok", closed: "quiet" }[problem.status] ?? "info") }),
    clockStrip(problem.clocks), actions(problem, doc, ctx, done), proofs(mine),
    cards(
      h("div", { class: "span-7 stacked" }, card("What the book says of it", doc ? triage(doc) : h("p", { class: "quiet" }, "No triage for your roles.")), card("Thread", problem.thread.length ? thread(problem.thread) : h("p", { class: "quiet" }, "Nothing was said yet."))),
      h("div", { class: "span-5 stacked" }, card("Report", facts([["From", problem.contact ? copyable(problem.contact) : "nobody we could write to"], ["Name", problem.reporter], ["May be named", problem.may_name ? "yes" : "no"], ["Who that is", AUTHORITIES.find(([a]) => a === problem.authority)?.[1] ?? problem.authority], ["Way in", problem.channel], ["Received", time(problem.received)], ["Sent", problem.sent ? time(problem.sent) : null], ["Rank", [String(problem.rank), h("div", { class: "quiet small" }, problem.rank_why)]],
        ["Acknowledged", problem.acknowledged ? time(problem.acknowledged) : null], ["Decision", problem.decision], ["Told", problem.told ? time(problem.told) : null], ["Revoked", problem.revoked ? time(problem.revoked) : null], ["Incident", problem.incident ? h("a", { href: `/console/incidents/${problem.incident}` }, `incident ${problem.incident}`) : null], ["Bug", problem.bug],
        ["As it came", [short(problem.raw_sha256, 12, 6), ` ${number(problem.raw_bytes)} bytes `, problem.raw_bytes && ctx.may("operator", "auditor") ? button("Download", { class: "plain tool", onclick: () => raw(problem) }) : null]]])),
      card("About", about(problem), { class: "flush" }),
      problem.files.length ? card("Files", h("ul", null, problem.files.map((f) => h("li", null, f.name ?? f, f.bytes ? h("span", { class: "quiet" }, ` ${number(f.bytes)} bytes`) : null)))) : null,
      card("Letters", problem.notices.length ? h("ul", { class: "letter-list" }, problem.notices.map((n) => h("li", null, badge(n.status, n.status === "sent" ? "ok" : undefined), " ", n.kind.replaceAll("-", " "), h("div", { class: "quiet small" }, n.to, n.ended ? [", ", time(n.ended, { seconds: false })] : null)))) : h("p", { class: "quiet" }, "None left us."))))];
}

export async function show(ctx) {
  const id = ctx.match[1];
  const root = h("div", { class: "problem" });
  const refresh = async () => { if (ctx.signal.aborted) return; const list = await parts(id, ctx, refresh); if (!ctx.signal.aborted) redraw(root, list); };
  view = { event: JSON.stringify(ctx.overview?.event), refresh };
  root.append(...[await parts(id, ctx, refresh)].flat(Infinity).filter((n) => n instanceof Node));
  return root;
}

export function live(event) {
  const newest = JSON.stringify(event.data.event);
  if (!view || newest === view.event) return;
  view.event = newest;
  view.refresh().catch((e) => { if (e.name !== "AbortError") console.error(e); });
}
