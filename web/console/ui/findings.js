// What a linter found in bytes: the findings beside the bytes, each marked where it stands, and what stands where as a tree.
import { h, redraw } from "./dom.js";
import { badge, number, plural } from "./text.js";
import { button, empty } from "./parts.js";
import { bytes, unbase64 } from "./bytes.js";

const LEVEL = { notice: "info", warn: "warning", error: "bad", fatal: "bad" };
const ORDER = { fatal: 0, error: 1, warn: 2, notice: 3 };
const WORD = { fatal: "fatal", error: "error", warn: "warning", notice: "notice" };

/** {error: 1, warn: 2} in words. */
export function tally(findings) {
  const counts = new Map();
  for (const f of findings) counts.set(f.result, (counts.get(f.result) ?? 0) + 1);
  return [...counts].sort((a, b) => (ORDER[a[0]] ?? 9) - (ORDER[b[0]] ?? 9)).map(([result, n]) => badge(plural(n, WORD[result] ?? result), LEVEL[result] ?? "quiet"));
}

/** The level of a result of the linter. */
export const resultLevel = (result) => LEVEL[result] ?? (result === "pass" ? "ok" : "quiet");

const BROAD = 0.6;

const ends = (row) => row.offset + row.header + row.length;

function finding(f, i, show) {
  const placed = f.length > 0;
  return h("li", { class: "finding", "data-level": resultLevel(f.result) },
    h("div", { class: "finding-head" }, badge(WORD[f.result] ?? f.result, resultLevel(f.result)), h("code", null, f.rule), f.citation ? h("span", { class: "quiet small" }, f.citation) : null),
    h("p", null, f.message),
    f.asks ? h("p", { class: "quiet small" }, `The rule: ${f.asks}.`) : null,
    placed ? h("p", { class: "small" }, button(`Bytes ${number(f.offset)} to ${number(f.offset + f.length - 1)}`, { class: "plain", "data-finding": String(i), onclick: () => show(f) }), " ", h("span", { class: "quiet" }, f.path)) : null);
}

/** The outline as a tree of lines; a click marks its bytes. */
function outlineView(rows, show) {
  const worst = (row) => row.found && resultLevel(row.found.result);
  return h("ol", { class: "outline", "aria-label": "What stands where" }, rows.map((row, i) => h("li", { style: { "padding-left": `${Math.min(row.depth, 12) * 14}px` } },
    h("button", { type: "button", class: "outline-row", "data-level": worst(row) ?? null, "data-row": String(i), onclick: () => show(row) },
      h("span", { class: "offset" }, row.offset.toString(16).padStart(4, "0")), " ", h("b", null, row.tag), row.value ? [" ", h("span", { class: "outline-value" }, row.value)] : null,
      h("span", { class: "quiet small" }, row.value ? "" : ` ${plural(row.length, "byte")}`)))));
}

/**
 * doc: an answer of POST lint?der=1. Findings at the left, bytes at the right, the outline below; a finding shows its bytes, a line of the outline too.
 */
export function findingsView(doc) {
  const data = unbase64(doc.der);
  const found = [...doc.findings].sort((a, b) => (ORDER[a.result] ?? 9) - (ORDER[b.result] ?? 9) || a.offset - b.offset);
  const placed = found.filter((f) => f.length > 0 && f.length < data.length * BROAD); // what is about nearly all of it would paint everything
  const marks = placed.map((f) => ({ from: f.offset, to: f.offset + f.length, level: resultLevel(f.result), text: `${f.rule}: ${f.message}` })).sort((a, b) => (a.to - a.from) - (b.to - b.from));
  const view = bytes(data, marks, { label: `${number(data.length)} bytes, with what was found marked` });
  const where = h("p", { class: "small quiet", role: "status" });
  const rows = doc.outline.map((row) => ({ ...row, found: placed.find((f) => f.offset === row.offset) }));

  function inside(at) {
    return rows.filter((row) => row.offset <= at && at < ends(row));
  }
  function point(from, to, level, text) {
    view.mark([{ from, to, level, text }, ...marks.filter((m) => m.from >= to || m.to <= from)]);
    view.show(0);
    const path = inside(from).map((row) => row.tag + (row.value ? ` ${row.value}` : ""));
    where.textContent = `Bytes ${number(from)} to ${number(to - 1)}: ${path.slice(-3).join(" › ")}`;
  }
  const showFinding = (f) => point(f.offset, f.offset + f.length, resultLevel(f.result), f.message);
  const showRow = (row) => point(row.offset, ends(row), row.found ? resultLevel(row.found.result) : "info", row.tag);

  const list = found.length ? h("ol", { class: "findings" }, found.map((f, i) => finding(f, i, showFinding))) : empty("Nothing was found.", `All rules of ${doc.rule_set} that apply passed.`);
  const tree = h("details", { class: "more" }, h("summary", null, `What stands where (${plural(rows.length, "element")})`));
  tree.addEventListener("toggle", () => { if (tree.open && tree.children.length === 1) tree.append(outlineView(rows, showRow)); });
  if (placed.length) {
    const first = placed[0];
    queueMicrotask(() => { where.textContent = `${plural(placed.length, "place")} marked. ${first.rule} begins at byte ${number(first.offset)}.`; });
  }
  return h("div", { class: "lint-view" }, h("div", { class: "lint-found" }, list), h("div", { class: "lint-bytes" }, where, view, tree));
}

/** Draws findingsView into a container when it is first opened: for a <details>. */
export function lazily(details, make) {
  details.addEventListener("toggle", async () => {
    if (!details.open || details.children.length > 1) return;
    const place = h("div", { "aria-busy": "true" });
    details.append(place);
    try {
      redraw(place, await make());
    } finally {
      place.removeAttribute("aria-busy");
    }
  });
  return details;
}
