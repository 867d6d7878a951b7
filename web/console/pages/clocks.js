// Every duty that runs, the one that ends first at the top; and the controls that have to be done again and again.
import { get, source } from "../api.js";
import { act } from "../desk/forms.js";
import { duty, subjectHref, subjectName } from "../desk/words.js";
import { badge, button, card, countdown, empty, filters, h, head, table, time } from "../ui.js";

const RUNNING = ["open", "overdue", "breached"];
const running = (c) => RUNNING.includes(c.status);
const STATES = [["running", "Running"], ["met", "Met"], ["late", "Met late"], ["breached", "Breached"], ["overdue", "Overdue"], ["void", "Void"], ["all", "All"]];

const about = (c) => { const href = subjectHref(c.subject); return href ? h("a", { href }, c.subject) : subjectName(c.subject); };

function columns(ctx, done) {
  const meet = (c) => async () => { if (await act({ title: `Met: ${duty(c.duty)}`, path: `clocks/${c.id}/meet`, text: `Of ${c.subject}. Say what shows it; an auditor reads it.`, fields: [{ name: "evidence", label: "Evidence", type: "area", needed: true }, { name: "when", label: "When", type: "time", hint: "UTC. Left empty: now." }], done: "Met." })) done(); };
  return [
    { name: "Left", value: (c) => (running(c) ? countdown(c.due, { began: c.start }) : badge(c.status)), class: "nowrap" },
    { name: "Duty", value: (c) => [duty(c.duty), c.own_measure ? h("span", { class: "quiet small" }, " (our own measure)") : null, h("div", { class: "quiet small" }, [c.force, c.section].filter(Boolean).join(" "))], head: true, class: "wide" },
    { name: "Of", value: about, class: "nowrap" }, { name: "Due", value: (c) => time(c.due, { seconds: false }) }, { name: "Began", value: (c) => time(c.start, { seconds: false }) },
    { name: "", spoken: "Change", value: (c) => (running(c) && ctx.may("operator") && !c.restricted ? button("Met", { class: "plain tool", "aria-label": `Met: ${duty(c.duty)} of ${c.subject}`, onclick: meet(c) }) : null) }];
}

async function controls(ctx) {
  const doc = await get("controls", null, { signal: ctx.signal });
  return card("Controls that come back", table({ caption: "Controls", rows: doc.controls, empty: empty("No control is kept here.", "What has to be done every so often (a backup that is restored, a key that is counted) gets a clock with lintel control add."), columns: [
    { name: "Control", value: (c) => [c.name, h("div", { class: "quiet small" }, c.about)], head: true, class: "wide" }, { name: "Owner", value: (c) => c.owner }, { name: "Due", value: (c) => (c.due ? countdown(c.due) : null) }, { name: "Last", value: (c) => time(c.done ?? c.last ?? null, { date: true }) }] }), { class: "flush" });
}

export async function show(ctx) {
  const values = { status: ctx.params.get("status") ?? "running" };
  const list = table({ caption: "Clocks", columns: columns(ctx, () => list.reload()), unit: ["clock"], key: (c) => String(c.id), source: (cursor) => source("clocks", "clocks", { status: values.status })(cursor), empty: empty("No clock is in this state.", "Clocks begin by themselves: with a problem report, an incident, a correction.") });
  const bar = filters([{ name: "status", label: "State", any: "Running", choices: STATES.slice(1) }], { status: values.status === "running" ? "" : values.status }, (now) => { values.status = now.status ?? "running"; ctx.setQuery(now); list.reload(); });
  return h("div", null, head("Clocks", { text: "Each is a dated rule: from the instant that starts it to the moment that it has to be done." }), bar, list, await controls(ctx));
}
