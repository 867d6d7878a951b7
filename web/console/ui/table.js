// Tables that read page by page, and the bar of filters above them.
import { announce, append, h, newId, spoken } from "./dom.js";
import { number, plural } from "./text.js";
import { button, empty, failure } from "./parts.js";

function headCell(column, options) {
  const inner = column.order && options.onOrder ? sortButton(column, options) : column.name || spoken(column.spoken ?? "Action");
  const sorted = sortState(column, options.order);
  return h("th", { scope: "col", role: "columnheader", class: [column.num && "num", column.class], "aria-sort": sorted }, inner);
}

function sortState(column, order) {
  if (!column.order || !order) return null;
  return order === column.order ? "ascending" : order === "-" + column.order ? "descending" : null;
}

function sortButton(column, options) {
  const next = options.order === column.order ? "-" + column.order : column.order;
  return h("button", { class: "sort", type: "button", onclick: () => options.onOrder(next) }, column.name);
}

function cell(column, row) {
  const value = column.value(row);
  const none = value === null || value === undefined || value === "";
  const shown = none ? (column.name ? h("span", { class: "quiet" }, "–") : null) : column.num && typeof value === "number" ? number(value) : Array.isArray(value) ? h("div", { class: "cell" }, value) : value;
  const props = { role: column.head ? "rowheader" : "cell", class: [column.num && "num", column.class], "data-label": column.name || null };
  return column.head ? h("th", { scope: "row", ...props }, shown) : h("td", props, shown);
}

function bodyRow(options, row) {
  const tr = h("tr", { role: "row", class: options.rowClass?.(row), dataset: options.key ? { key: options.key(row) } : {} });
  return append(tr, options.columns.map((column) => cell(column, row)));
}

/**
 * A table. options:
 *   caption   what the rows are, for screen readers (shown: captionShown: true)
 *   columns   [{name, value: (row) => Node|string|number, num: right-aligned digits, head: names the row (one column), order: word for
 *             the order, class: "wide" takes the room | "mono" | "narrow", spoken: name for screen readers where name is ""}]
 *   rows      an array, or
 *   source    async (cursor) => {rows, next, doc}: see api.js source(); the first page is read at once, more by a button
 *   key       (row) => string; rowClass (row) => string
 *   empty     Node or text when there are none: says what to do
 *   unit      ["certificate", "certificates"] for "50 shown, more are there"
 *   order, onOrder   the order that is in force ("issued", "-issued"), and what a click on a heading calls
 *   onPage    (doc) called with each document that was read
 * On a phone rows become cards, each value under its column's name. The element has reload() → Promise and add(rows).
 */
export function table(options) {
  const body = h("tbody", { role: "rowgroup" });
  const grid = h("table", { role: "table", class: ["grid", options.class] },
    h("caption", { class: options.captionShown ? null : "spoken" }, options.caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, options.columns.map((c) => headCell(c, options)))), body);
  const foot = h("div", { class: "table-foot" });
  const el = h("div", { class: "table" }, grid, foot);
  const state = { count: 0, next: null, turn: 0 };
  const unit = options.unit ?? ["row"];

  function settle() {
    const none = state.count === 0 && !state.next;
    grid.hidden = none;
    foot.replaceChildren();
    if (none) return void append(foot, typeof options.empty === "string" || !options.empty ? empty(options.empty ?? "Nothing here.") : options.empty);
    if (!options.source) return;
    append(foot, h("span", { class: "quiet" }, state.next ? `${plural(state.count, ...unit)} shown, more follow` : plural(state.count, ...unit)),
      state.next ? button("Show more", { onclick: () => read(state.next) }) : null);
  }
  function add(rows) {
    append(body, rows.map((row) => bodyRow(options, row)));
    state.count += rows.length;
  }
  async function read(cursor) {
    const turn = ++state.turn;
    el.setAttribute("aria-busy", "true");
    try {
      const page = await options.source(cursor);
      if (turn !== state.turn) return;
      if (!cursor) { body.replaceChildren(); state.count = 0; }
      add(page.rows);
      state.next = page.next;
      options.onPage?.(page.doc ?? page);
      settle();
      announce(plural(state.count, ...unit));
    } catch (e) {
      if (e.name === "AbortError" || turn !== state.turn) return;
      foot.replaceChildren(failure(e, () => read(cursor)));
    } finally {
      if (turn === state.turn) el.removeAttribute("aria-busy");
    }
  }
  el.reload = () => read(null);
  el.add = (rows) => { add(rows); settle(); };
  if (options.source) el.ready = read(null);
  else { add(options.rows ?? []); settle(); }
  return el;
}

function control(item, values, changed) {
  const id = newId("filter");
  const value = values[item.name] ?? "";
  let input;
  if (item.choices) {
    input = h("select", { id, name: item.name, value }, [["", item.any ?? "Any"], ...item.choices.map((c) => (Array.isArray(c) ? c : [c, c]))]
      .map(([v, text]) => h("option", { value: v }, text)));
  } else {
    input = h("input", { id, name: item.name, type: item.type ?? "search", value, placeholder: item.hint ?? null, autocomplete: "off",
      spellcheck: "false", autocapitalize: "none", list: item.list ?? null });
  }
  input.addEventListener("change", changed);
  return h("div", { class: ["filter", item.wide && "wide"] }, h("label", { for: id }, item.label), input);
}

/**
 * Filters above a table. items: [{name, label, choices: ["a", ["b", "shown"]], any: "Any state"} or {name, label, type, hint, wide}].
 * values: what is set (from ctx.params); onChange(values) is called with what is filled in; use ctx.setQuery(values) there.
 * Enter or leaving a field applies it.
 */
export function filters(items, values, onChange) {
  const form = h("form", { class: "filters", role: "search", onsubmit: (e) => { e.preventDefault(); apply(); } });
  let last = "";
  function apply() {
    const now = Object.fromEntries([...new FormData(form)].filter(([, v]) => v.trim() !== "").map(([k, v]) => [k, v.trim()]));
    const text = JSON.stringify(now);
    clear.hidden = Object.keys(now).length === 0;
    if (text === last) return;
    last = text;
    onChange(now);
  }
  const clear = button("Clear", { class: "plain", onclick: () => { for (const el of form.elements) if (el.name) el.value = ""; apply(); } });
  append(form, items.map((item) => control(item, values, apply)), clear, h("button", { type: "submit", class: "spoken" }, "Apply"));
  last = JSON.stringify(Object.fromEntries(items.filter((i) => values[i.name]).map((i) => [i.name, values[i.name]])));
  clear.hidden = last === "{}";
  return form;
}
