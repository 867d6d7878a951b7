// The score card of one drill: every measure beside its limit, what others needed when it was no drill, and how we did the times before.
import { get } from "../api.js";
import { duty, subjectName } from "../desk/words.js";
import { badge, card, duration, empty, facts, h, head, more, number, plural, short, table, time } from "../ui.js";

const HISTORY = 6; // drills of the same scenario before this one

/** Microseconds, as exact as people compare them. */
function took(us) {
  if (us === null || us === undefined) return "–";
  const s = us / 1e6;
  return s < 60 ? `${s.toFixed(s < 10 ? 2 : 1)} s` : duration(s);
}

/** Faster or slower than the last time, in words: colour alone says nothing. */
function against(now, before) {
  if (!before || !now) return null;
  const ratio = now / before;
  if (ratio > 0.9 && ratio < 1.1) return h("span", { class: "quiet" }, "as before");
  return ratio < 1 ? badge(`${(1 / ratio).toFixed(1)} times faster`, "ok") : badge(`${ratio.toFixed(1)} times slower`, ratio > 2 ? "warning" : "quiet");
}

const measure = (record, id) => record?.measures?.find((m) => m.id === id) ?? null;

/** The times of one measure over the drills, as bars against its limit; in a table for who does not see them. */
const spark = (values, limit) => h("span", { class: "spark", "aria-hidden": "true" }, values.map((v) => h("i", { "data-over": v > limit ? "" : null, style: { height: `${Math.max(6, Math.min(100, (100 * v) / Math.max(...values)))}%` } })));

function scoreTable(record, past) {
  const last = past[0]?.record ?? null;
  const beside = record.beside ?? [];
  return table({ caption: "Measures", rows: record.measures ?? [], rowClass: (m) => (m.met ? null : "bad-row"), columns: [
    { name: "Measure", value: (m) => m.say, head: true, class: "wide" }, { name: "Here", value: (m) => h("b", { class: "nowrap" }, took(m.took_us)), num: true }, { name: "Limit", value: (m) => h("span", { class: "nowrap" }, took(m.within_us)), num: true }, { name: "Score", value: (m) => badge(m.met ? "met" : "missed", m.met ? "ok" : "bad") },
    ...(last ? [{ name: "The last time", value: (m) => [took(measure(last, m.id)?.took_us), " ", against(m.took_us, measure(last, m.id)?.took_us)] }] : []),
    ...(past.length > 1 ? [{ name: "Over time", value: (m) => spark([...past].reverse().map((d) => measure(d.record, m.id)?.took_us ?? 0).concat(m.took_us), m.within_us) }] : []),
    ...beside.map((name, i) => ({ name, value: (m) => m.beside?.[i] ?? "–" }))] });
}

const clockColumns = [
  { name: "Clock", value: (c) => duty(c.duty ?? c.name ?? ""), head: true, class: "wide" }, { name: "Of", value: (c) => subjectName(c.subject), class: "nowrap" }, { name: "Status", value: (c) => badge(c.status, /late|breached/.test(c.status) ? (c.reported ? "warning" : "bad") : undefined) },
  { name: "Margin", value: (c) => (c.margin_s === undefined ? "–" : `${c.margin_s < 0 ? "−" : ""}${duration(c.margin_s)}`), num: true }, { name: "Rule", value: (c) => [c.force, c.section].filter(Boolean).join(" ") }];

function historyTable(drill, past) {
  if (!past.length) return empty("It is the first drill of this scenario on record.", "The next one is compared with it.");
  return table({ caption: "Drills of the same scenario", rows: [drill, ...past], columns: [
    { name: "Held", value: (d) => h("a", { href: `/console/drills/${d.id}` }, time(d.begun, { seconds: false })), head: true }, { name: "Mode", value: (d) => d.mode || d.kind }, { name: "Certificates", value: (d) => d.certificates, num: true }, { name: "Score", value: (d) => badge(d.passed ? "passed" : "missed something", d.passed ? "ok" : "bad") },
    { name: "Measures met", value: (d) => (d.record ? `${d.record.measures.filter((m) => m.met).length} of ${d.record.measures.length}` : "–"), num: true }, { name: "Build", value: (d) => h("code", null, d.record?.build ?? "") }] });
}

const parse = (doc) => { try { return { ...doc, record: JSON.parse(doc.record) }; } catch { return { ...doc, record: null }; } };

async function historyOf(drill, ctx) {
  const list = (await get("drills", { limit: 100 }, { signal: ctx.signal })).drills.filter((d) => d.scenario === drill.scenario && d.id < drill.id).slice(0, HISTORY);
  return Promise.all(list.map(async (d) => parse(await get(`drills/${d.id}`, null, { signal: ctx.signal }))));
}

export async function show(ctx) {
  const drill = parse(await get(`drills/${ctx.match[1]}`, null, { signal: ctx.signal }));
  const past = await historyOf(drill, ctx);
  const record = drill.record;
  return h("div", null, head(record?.title ?? drill.scenario, { trail: [["Drills", "/console/drills"], [`Drill ${drill.id}`, `/console/drills/${drill.id}`]], state: badge(drill.passed ? "passed" : "missed something", drill.passed ? "ok" : "bad"),
    text: `${drill.scenario}${drill.mode ? `, ${drill.mode}` : ""}: ${plural(drill.certificates, "certificate")}, ${record?.worked_ms ? `${(record.worked_ms / 1000).toFixed(1)} s of work` : duration((Date.parse(drill.ended) - Date.parse(drill.begun)) / 1000)}` }),
  record ? card("Score card", scoreTable(record, past), { class: "flush" }) : null,
  record?.clocks?.length ? card("Clocks", table({ caption: "Clocks of the drill", rows: record.clocks, columns: clockColumns }), { class: "flush" }) : null,
  card("Before", historyTable(drill, past), { class: "flush" }),
  record?.steps?.length ? more(plural(record.steps.length, "step"), table({ caption: "Steps", rows: record.steps.filter((s) => s.say), columns: [{ name: "Step", value: (s) => s.say, head: true, class: "wide" }, { name: "Worked", value: (s) => `${number(s.worked_ms)} ms`, num: true }] })) : null,
  card("On record", facts([["Held", [time(drill.begun), " to ", time(drill.ended)]], ["Recorded", [drill.recorded_by, ", ", time(drill.recorded)]], ["Findings", drill.findings], ["Record, SHA-256", short(drill.record_sha256, 16, 8)], ["Build", record?.build], ["Seed", drill.seed || null]])));
}
