// Root causes: five whys and the fishbone of each, lessons, and the promises that answer them.
import { button, card, confirm, empty, h, s, table, time, badge, toast } from "../ui.js";
import { change } from "../api.js";
import { act } from "./forms.js";
import { CATEGORIES, KINDS, LESSONS } from "./words.js";

const PARTS = [["description", "Description"], ["timeline", "Timeline"], ["detection", "Detection"], ["interaction", "Interaction with other factors"]];
const causeFields = (c = {}) => [{ name: "title", label: "Title", needed: true, value: c.title, max: 300 }, ...PARTS.map(([name, label]) => ({ name, label, type: "area", rows: 3, value: c[name] })), { name: "method", label: "Method of analysis", value: c.method ?? "5 Whys" }];
const whyFields = (w = {}) => [{ name: "question", label: "Why?", needed: true, value: w.question ?? "Why " }, { name: "answer", label: "Because", type: "area", rows: 2, needed: true, value: w.answer }, { name: "evidence", label: "Evidence (a link, an event)", value: w.evidence }];

const tool = (text, label, onclick) => button(text, { class: "plain tool", "aria-label": label, onclick });

/** Six bones, three above and three below the spine, drawn from what is in them. */
export function fishbone(bones, title) {
  const width = 720;
  const groups = CATEGORIES.map((category) => [category, bones.filter((b) => b.category === category)]);
  const most = Math.max(1, ...groups.map(([, list]) => list.length));
  const rib = 44 + most * 20;
  const middle = rib + 20;
  const parts = groups.flatMap(([category, list], i) => {
    const up = i < 3;
    const x = 40 + (i % 3) * 200;
    const y = up ? middle - rib : middle + rib;
    return [s("line", { x1: x + 40, y1: y, x2: x + 130, y2: middle, class: "rib" }), s("text", { x: x + 40, y: up ? y - 6 : y + 15, class: "rib-name" }, category),
      ...list.map((bone, k) => { const at = up ? y + 20 + k * 20 : y - 12 - k * 20; return s("text", { x: x + 60 + (90 * Math.abs(at - y)) / rib, y: at, class: "rib-text" }, bone.text.length > 24 ? bone.text.slice(0, 23) + "…" : bone.text, s("title", null, bone.text)); })];
  });
  return h("div", { class: "fishbone scroll", tabindex: "0", role: "region", "aria-label": "Fishbone" }, s("svg", { viewBox: `0 0 ${width} ${middle * 2}`, role: "img", "aria-label": `Fishbone: ${groups.filter(([, l]) => l.length).map(([c, l]) => `${c}: ${l.map((b) => b.text).join(", ")}`).join("; ") || "empty"}` },
    s("line", { x1: 30, y1: middle, x2: width - 90, y2: middle, class: "spine" }), parts, s("text", { x: width - 84, y: middle + 5, class: "fish-head" }, title)));
}

function whys(facts, cause, edit, ctx) {
  const list = facts.whys.filter((w) => w.cause === cause.cause);
  return [h("h3", null, "Five whys"), list.length ? h("ol", { class: "whys" }, list.map((w) => h("li", null, h("div", null, h("b", null, w.question)), h("div", null, w.answer), w.evidence ? h("div", { class: "quiet small" }, w.evidence) : null,
    ctx.may("operator") ? tool("Change", `Change why ${w.step}`, () => edit("Change a why", "causes/why", whyFields(w), { cause: cause.cause, step: w.step })) : null))) : h("p", { class: "quiet" }, "Ask why until the answer is something that can be changed."),
  ctx.may("operator") ? button(list.length ? `Why, once more (${list.length + 1})` : "Ask the first why", { onclick: () => edit("Why?", "causes/why", whyFields(), { cause: cause.cause }) }) : null];
}

function bonesOf(facts, cause, edit, drop, ctx) {
  const list = facts.bones.filter((b) => b.cause === cause.cause || !b.cause);
  return [h("h3", null, "Fishbone"), fishbone(list, "#" + cause.cause), ctx.may("operator") ? h("div", { class: "row" }, button("Add a bone", { onclick: () => edit("Add a bone", "causes/bone", [{ name: "category", label: "Category", type: "select", choices: CATEGORIES, needed: true, value: "process" }, { name: "text", label: "What contributed", needed: true, max: 300 }], { cause: cause.cause }) }),
    list.map((b) => h("span", { class: "chip" }, `${b.category}: ${b.text} `, tool("×", `Drop ${b.text}`, () => drop(`Drop “${b.text}”?`, "causes/bone-drop", { bone: b.bone }))))) : null];
}

function causeCard(facts, cause, edit, drop, ctx) {
  return card(`Contributing factor ${cause.cause}: ${cause.title}`, [
    h("dl", { class: "facts" }, PARTS.map(([name, label]) => h("div", null, h("dt", null, label), h("dd", null, cause[name] || h("span", { class: "missing" }, "missing"))))),
    h("div", { class: "grid-2 cause-tools" }, h("div", null, whys(facts, cause, edit, ctx)), h("div", null, bonesOf(facts, cause, edit, drop, ctx)))],
  { class: "span-12", actions: ctx.may("operator") ? [button("Change", { onclick: () => edit("Change the factor", "causes", causeFields(cause), { cause: cause.cause }) }), button("Drop", { class: "plain", onclick: () => drop(`Drop factor ${cause.cause}?`, "causes/drop", { cause: cause.cause }) })] : null });
}

function lessonCard(facts, [kind, title], edit, drop, ctx) {
  const list = facts.lessons.filter((l) => l.kind === kind);
  const must = kind === "not-well" || kind === "additional";
  const fields = (l = {}) => [{ name: "text", label: title, type: "area", needed: true, value: l.text }, { name: "actions", label: "Answered by action items", value: l.actions, hint: "Their numbers, as 1, 3" }];
  return card(title, [list.length ? h("ul", { class: "lessons" }, list.map((l) => h("li", null, h("div", null, l.text), must && !l.actions ? h("div", { class: "missing" }, "no action item answers it") : l.actions ? h("div", { class: "quiet small" }, "Action items ", l.actions) : null,
    ctx.may("operator") ? [tool("Change", "Change this lesson", () => edit("Change the lesson", "lessons", fields(l), { lesson: l.lesson, kind })), tool("Drop", "Drop this lesson", () => drop("Drop this lesson?", "lessons/drop", { lesson: l.lesson }))] : null))) : h("p", { class: "quiet" }, "Nothing yet.")],
  { class: "span-3", actions: ctx.may("operator") ? button("Add", { "aria-label": `Add to: ${title}`, onclick: () => edit(title, "lessons", fields(), { kind }) }) : null });
}

/** The tab: causes with whys and bones, lessons below. done(): reads again. */
export function causesTab(incident, facts, ctx, done) {
  const base = `incidents/${incident.id}/`;
  const edit = async (title, path, fields, fixed) => { if (await act({ title, path: base + path, fields, fixed, done: "Kept." })) done(); };
  const drop = async (title, path, body) => { if (await confirm({ title, text: "It stays in the record of events, and is in no report any more.", yes: "Drop" })) { await change(base + path, body); toast("Dropped."); done(); } };
  const add = ctx.may("operator") ? button("Add a factor", { kind: facts.causes.length ? null : "primary", onclick: () => edit("A contributing factor", "causes", causeFields(), {}) }) : null;
  return h("div", { class: "stacked" }, h("div", { class: "row" }, h("h2", null, "Contributing factors"), h("span", { class: "push" }), facts.causes.length ? add : null),
    facts.causes.length ? facts.causes.map((c) => causeCard(facts, c, edit, drop, ctx)) : empty("No contributing factor is named.", "A report wants usually more than one, each with description, timeline, detection and how it played together with the others.", ...(add ? [add] : [])),
    h("h2", null, "Lessons learned"), h("div", { class: "cards" }, LESSONS.map((l) => lessonCard(facts, l, edit, drop, ctx))));
}

const ACTION_FIELDS = [{ name: "title", label: "What will be done", needed: true, max: 300 }, { name: "kind", label: "Kind", type: "select", choices: KINDS, needed: true, value: "Prevent" }, { name: "owner", label: "Owner", needed: true },
  { name: "criteria", label: "How anybody can see that it was done", type: "area", rows: 3, needed: true }, { name: "due", label: "Due", type: "time", needed: true }, { name: "causes", label: "For factors", hint: "Their numbers, as 1, 2" }];

const MOVES = {
  complete: ["Complete", [{ name: "evidence", label: "Evidence", type: "area", needed: true }, { name: "words", label: "Words", type: "area", rows: 2 }]],
  delay: ["Delay", [{ name: "due", label: "New date", type: "time", needed: true }, { name: "words", label: "Why", type: "area", rows: 2, needed: true }]],
  cancel: ["Cancel", [{ name: "words", label: "Why", type: "area", rows: 2, needed: true }]],
};

/** The tab with action items. actions: of GET actions?by-subject. */
export function actionsTab(incident, actions, ctx, done) {
  const move = (a, verb) => async () => { if (await act({ title: `${MOVES[verb][0]}: ${a.title}`, path: `actions/${a.id}/${verb}`, fields: MOVES[verb][1], done: "Kept. It has to be told within three days." })) done(); };
  const add = ctx.may("operator") ? button("Promise something", { kind: actions.length ? null : "primary", onclick: async () => { if (await act({ title: "An action item", path: "actions", fields: ACTION_FIELDS, fixed: { for: `incident ${incident.id}` }, done: "Promised." })) done(); } }) : null;
  const list = table({ caption: "Action items", rows: actions, unit: ["action item"], empty: empty("Nothing is promised.", "Every root cause, and everything that didn’t go well, needs an action item.", ...(add ? [add] : [])), columns: [
    { name: "No", value: (a) => a.id, num: true, class: "narrow" }, { name: "What", value: (a) => [h("div", null, a.title), h("div", { class: "quiet small" }, a.criteria)], head: true, class: "wide" }, { name: "Kind", value: (a) => a.kind },
    { name: "Owner", value: (a) => a.owner }, { name: "Due", value: (a) => time(a.due, { date: true }) }, { name: "Status", value: (a) => badge(a.status, { Complete: "ok", Delayed: "warning", Canceled: "quiet" }[a.status] ?? "info") },
    { name: "", spoken: "Change", value: (a) => (ctx.may("operator") && ["Ongoing", "Delayed"].includes(a.status) ? h("div", { class: "row" }, Object.keys(MOVES).map((verb) => tool(MOVES[verb][0], `${MOVES[verb][0]} action item ${a.id}`, move(a, verb)))) : null) }] });
  return card("Action items", list, { class: "span-12 flush", actions: actions.length ? add : null });
}
