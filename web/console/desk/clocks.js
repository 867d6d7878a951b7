// The strip of an incident's (or report's) clocks: what runs out first stands first.
import { badge, countdown, h, more, time } from "../ui.js";
import { duty } from "./words.js";

const ENDED = ["met", "late", "void"];

/** A clock that runs: "open", "breached", "overdue". */
export const runs = (clock) => !ENDED.includes(clock.status);

const byDue = (a, b) => Date.parse(a.due) - Date.parse(b.due);

function one(clock) {
  return h("li", { class: "duty-clock" },
    h("div", { class: "clock-time" }, countdown(clock.due, { began: clock.start })),
    h("div", { class: "clock-name" }, duty(clock.duty)),
    h("div", { class: "quiet small" }, time(clock.due, { seconds: false }), clock.section ? [" · ", clock.force ? clock.force + " " : "", clock.section] : null));
}

function ended(clock) {
  const when = clock.met ? ["met ", time(clock.met, { seconds: false })] : clock.status;
  return h("li", null, badge(clock.status === "late" ? "late" : clock.status, clock.status === "late" ? "bad" : undefined), " ", duty(clock.duty), " ", h("span", { class: "quiet" }, when));
}

/** The strip: clocks that run as large count-downs, those that ended behind one line. clocks: [{duty, start, due, status, met, section, force}]. */
export function clockStrip(clocks) {
  const open = clocks.filter(runs).sort(byDue);
  const over = clocks.filter((c) => !runs(c)).sort(byDue);
  return h("section", { class: "clocks", "aria-label": "Clocks" },
    open.length ? h("ol", { class: "clock-strip" }, open.map(one)) : h("p", { class: "quiet" }, "No clock runs."),
    over.length ? more(`${over.length} ended`, h("ul", { class: "clock-ended" }, over.map(ended))) : null);
}

/** The clock that runs out first, or null. */
export const nearest = (clocks) => clocks.filter(runs).sort(byDue)[0] ?? null;
