// Bytes as they are, with places marked: for the lint explorer and whoever shows DER.
import { append, h } from "./dom.js";

const ROW = 16;
const hex = (n, width) => n.toString(16).padStart(width, "0");
const letter = (b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "·");

/** Runs of a row that have the same mark: [{from, to, mark}]. */
function runs(row, end, marks) {
  const list = [];
  for (let at = row; at < end; at++) {
    const mark = marks.find((m) => at >= m.from && at < m.to) ?? null;
    const last = list[list.length - 1];
    if (last && last.mark === mark) last.to = at + 1;
    else list.push({ from: at, to: at + 1, mark });
  }
  return list;
}

function line(bytes, row, marks) {
  const end = Math.min(row + ROW, bytes.length);
  const hexes = h("span", { class: "hex" });
  const letters = h("span", { class: "letters" });
  for (const run of runs(row, end, marks)) {
    const part = [...bytes.subarray(run.from, run.to)];
    const props = run.mark ? { class: "at", "data-level": run.mark.level ?? "warning", "data-mark": String(marks.indexOf(run.mark)), title: run.mark.text ?? null } : null;
    append(hexes, h(run.mark ? "mark" : "span", props, part.map((b) => hex(b, 2)).join(" ")), run.to < end ? " " : null);
    append(letters, h(run.mark ? "mark" : "span", props, part.map(letter).join("")));
  }
  return h("div", { class: "bytes-row" }, h("span", { class: "offset" }, hex(row, 4)), hexes, letters);
}

/**
 * A view of bytes, 16 in a row. bytes: Uint8Array; marks: [{from, to (one past the last), level, text}]. Element has show(i): scrolls to the i-th mark
 * and lights it up; and mark(marks): others.
 */
export function bytes(data, marks = [], options = {}) {
  const el = h("div", { class: "bytes", tabindex: "0", role: "region", "aria-label": options.label ?? `${data.length} bytes` });
  el.mark = (list) => {
    el.replaceChildren();
    for (let row = 0; row < data.length; row += ROW) el.append(line(data, row, list));
  };
  el.show = (i) => {
    for (const m of el.querySelectorAll("mark")) m.classList.toggle("here", m.dataset.mark === String(i));
    el.querySelector(`mark[data-mark="${i}"]`)?.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  el.mark(marks);
  return el;
}

/** base64 or base64url → Uint8Array. */
export function unbase64(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/").replace(/\s+/g, ""));
  return Uint8Array.from(plain, (c) => c.charCodeAt(0));
}
