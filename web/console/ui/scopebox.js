// A box for an expression that says which certificates: what it means in words, how many it hits, and where it is wrong, while it is typed.
import { ask, get } from "../api.js";
import { append, h, newId, redraw } from "./dom.js";
import { mark, number } from "./text.js";
import { button } from "./parts.js";

const CHECK_MS = 180; // after the last key
const COUNT_MS = 350; // after that, when it is an expression
const WITHIN_MS = 800; // a count takes no longer: other people ask the same readers

const EXAMPLES = ["status = valid and expires <= now+14d", "method = dns-01 and caa_age > 8h", "suffix = example.com and valid", "replacement = not_seen and status = valid"];

/** Index in UTF-16 of a byte of the text's UTF-8. */
const indexOf = (text, byte) => new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)).length;

/** What stands behind the text of the box: the same text, unseen, with the wrong place marked. */
function shade(text, at) {
  if (!at) return [text, "\n"];
  return [text.slice(0, at.from), h("mark", null, at.to > at.from ? text.slice(at.from, at.to) : "\u00a0"), text.slice(at.to), "\n"];
}

function fieldList(insert) {
  const list = h("div", { class: "scope-fields" });
  const el = h("details", { class: "more" }, h("summary", null, "What can be asked"), list);
  el.addEventListener("toggle", async () => {
    if (!el.open || list.firstChild) return;
    const { fields } = await get("scope/fields");
    append(list, h("p", { class: "quiet small" }, "A field, an operation and a value; joined by ", h("code", null, "and"), ", ", h("code", null, "or"), ", ", h("code", null, "not"),
      " and brackets. Times are days or seconds, or ", h("code", null, "now-30d"), "; ranges are ", h("code", null, "2026-01-01..2026-02-28"), "; lists are ", h("code", null, "(a, b)"), "."),
    h("dl", { class: "fields" }, fields.map((f) => h("div", null, h("dt", null, h("button", { type: "button", class: "link", onclick: () => insert(f.name) }, h("code", null, f.name)), " ", h("span", { class: "quiet small" }, f.type)), h("dd", null, f.words)))));
  });
  return el;
}

/**
 * The box. options: value, onChange(text, check) called when what stands there is an expression (check: {scope, sha256, words}) or empty ("" and null),
 * onEnter(text), label, count: false leaves the number out, examples: false.
 * The element has value (get), set(text), check (the last answer) and stop().
 */
export function scopeBox(options = {}) {
  const id = newId("scope");
  const state = { turn: 0, timer: 0, over: null, check: null };
  const back = h("div", { class: "scope-back", "aria-hidden": "true" });
  const area = h("textarea", { id, rows: "2", spellcheck: "false", autocapitalize: "none", autocomplete: "off", "aria-describedby": id + "-says", placeholder: "status = valid and expires <= now+14d" }, options.value ?? "");
  const says = h("div", { class: "scope-says", id: id + "-says", "aria-live": "polite" });
  const total = h("div", { class: "scope-count", role: "status" });

  function draw(at) {
    back.replaceChildren();
    append(back, shade(area.value, at));
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  }

  const count = async (within) => {
    const turn = state.turn;
    if (within === 0) redraw(total, h("span", { class: "quiet" }, "Counting …"));
    const doc = await ask("scope/count", area.value, { params: within ? { within } : {}, signal: state.over.signal });
    if (turn !== state.turn) return;
    if (doc.count !== null) redraw(total, h("b", null, number(doc.count)), " ", doc.count === 1 ? "certificate" : "certificates");
    else redraw(total, h("span", { class: "quiet" }, "Many; counting takes longer than typing. "), button("Count them", { class: "plain", onclick: () => count(0).catch(failed) }));
  };
  const failed = (e) => { if (e.name !== "AbortError") redraw(total, h("span", { class: "quiet" }, e.detail ?? e.message)); };

  function wrong(doc) {
    const from = indexOf(area.value, doc.offset);
    const to = indexOf(area.value, doc.offset + doc.length);
    draw({ from, to });
    area.setAttribute("aria-invalid", "true");
    redraw(total);
    redraw(says, h("p", { class: "scope-wrong" }, mark("bad"), h("span", null, h("button", { type: "button", class: "link", onclick: () => { area.focus(); area.setSelectionRange(from, Math.max(to, from)); } }, `Character ${from + 1}`), ": ", doc.detail)));
  }

  function good(doc) {
    draw(null);
    area.removeAttribute("aria-invalid");
    redraw(says, h("ul", { class: "scope-words" }, doc.words.map((line) => h("li", { style: { "padding-left": `${Math.floor(/^ */.exec(line)[0].length / 2)}em` } }, line.trim()))),
      (doc.remarks ?? []).map((text) => h("p", { class: "scope-remark" }, mark("warning"), h("span", null, text))));
    options.onChange?.(area.value.trim(), doc);
    if (options.count !== false) state.timer = setTimeout(() => count(WITHIN_MS).catch(failed), COUNT_MS);
  }

  async function look() {
    const turn = state.turn;
    const text = area.value;
    try {
      const doc = await ask("scope/check", text, { signal: state.over.signal });
      if (turn !== state.turn) return;
      state.check = doc;
      if (doc.good) good(doc);
      else wrong(doc);
    } catch (e) {
      if (turn === state.turn && e.name !== "AbortError") redraw(says, h("p", { class: "scope-wrong" }, mark("bad"), h("span", null, e.detail ?? e.message)));
    }
  }

  function typed(wait) {
    state.turn++;
    clearTimeout(state.timer);
    state.over?.abort(); // what was asked before is of no use any more
    state.over = new AbortController();
    state.check = null;
    draw(null);
    redraw(total);
    if (area.value.trim()) return void (state.timer = setTimeout(look, wait));
    area.removeAttribute("aria-invalid");
    redraw(says, options.examples === false ? null : h("p", { class: "quiet" }, "For example: ", EXAMPLES.map((text, i) => [i ? " · " : null, h("button", { type: "button", class: "link", onclick: () => el.set(text) }, h("code", null, text))])));
    options.onChange?.("", null);
  }

  function insert(name) {
    area.setRangeText((area.value && !/[\s(]$/.test(area.value.slice(0, area.selectionStart)) ? " " : "") + name + " ", area.selectionStart, area.selectionEnd, "end");
    area.focus();
    typed(CHECK_MS);
  }

  area.addEventListener("input", () => typed(CHECK_MS));
  area.addEventListener("scroll", () => { back.scrollTop = area.scrollTop; });
  area.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.shiftKey) return;
    e.preventDefault();
    options.onEnter?.(area.value.trim());
  });
  const el = h("div", { class: "scope-box" }, h("label", { for: id }, options.label ?? "Certificates that"), h("div", { class: "scope-area" }, back, area), h("div", { class: "scope-line" }, says, options.count === false ? null : total), fieldList(insert));
  Object.defineProperty(el, "value", { get: () => area.value.trim() });
  Object.defineProperty(el, "check", { get: () => state.check });
  el.set = (text) => { area.value = text; typed(0); area.focus(); };
  el.stop = () => { state.turn++; clearTimeout(state.timer); state.over?.abort(); };
  requestAnimationFrame(() => typed(0));
  return el;
}
