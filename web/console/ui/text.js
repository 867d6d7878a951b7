// Numbers, times and states, the same everywhere: UTC with the local time on hover, thousands separators, one word per
// state with one level. Levels: ok, info, warning, bad, quiet; colour is never the only sign of one.
import { h } from "./dom.js";

const counts = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const MINUS = "\u2212";

// The family's clock, not the browser's: a drill's is moved, and a laptop's may be wrong.
let skewMs = 0;
/** Called with each document that says what time it is. */
export function setNow(iso) {
  const ms = Date.parse(iso);
  if (Number.isFinite(ms) && Math.abs(ms - Date.now() - skewMs) > 1500) skewMs = ms - Date.now();
}
/** Milliseconds since 1970 as the family has it. */
export const nowMs = () => Date.now() + skewMs;

/** 1234567 → "1,234,567"; null → "–". */
export const number = (n) => (n === null || n === undefined || n === "" || Number.isNaN(Number(n)) ? "–" : counts.format(Number(n)));

/** number(n) and a noun in the right number: plural(2, "certificate") → "2 certificates". */
export const plural = (n, one, many = one + "s") => `${number(n)} ${Number(n) === 1 ? one : many}`;

/** 0.123 → "12.3 %"; never 100 before it is all, never 0 when there is something. */
export function percent(part, whole) {
  if (!whole) return "–";
  const p = (100 * part) / whole;
  const shown = p > 0 && p < 0.1 ? 0.1 : p < 100 && p > 99.9 ? 99.9 : p;
  return `${counts.format(shown)}\u202f%`;
}

/** 1536 → "1.5 KiB". */
export function size(n) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return `${counts.format(n)} ${units[i]}`;
}

const two = (n) => String(n).padStart(2, "0");

/** Seconds in words, two units at most: 11564 → "3 h 12 min". */
export function duration(seconds) {
  const all = Math.max(0, Math.round(Math.abs(seconds)));
  const parts = [[Math.floor(all / 86400), "d"], [Math.floor(all / 3600) % 24, "h"], [Math.floor(all / 60) % 60, "min"], [all % 60, "s"]];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

/** Seconds as a running clock: "03:12:44", from two days on "4 d 03:12". */
export function clockText(seconds) {
  const all = Math.floor(Math.abs(seconds));
  const hours = Math.floor(all / 3600);
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${two(hours % 24)}:${two(Math.floor(all / 60) % 60)}`;
  return `${two(hours)}:${two(Math.floor(all / 60) % 60)}:${two(all % 60)}`;
}

const asDate = (when) => (when instanceof Date ? when : new Date(typeof when === "number" ? when * 1000 : when));
const utc = (d) => d.toISOString().slice(0, 19).replace("T", " ");

/** How a time stands to now, in words: "in 3 h 12 min", "2 d 4 h ago". */
export function relative(when) {
  const seconds = (asDate(when).getTime() - nowMs()) / 1000;
  return Math.abs(seconds) < 1 ? "now" : seconds > 0 ? `in ${duration(seconds)}` : `${duration(seconds)} ago`;
}

/** A time of RFC 3339 (or epoch seconds) as <time>: UTC, local and distance on hover. options: seconds (false drops them), date (day alone),
 *  ago (the distance is the text, the moment is on hover). Nothing: "–". */
export function time(when, options = {}) {
  if (when === null || when === undefined || when === "") return h("span", { class: "quiet" }, "–");
  const d = asDate(when);
  if (Number.isNaN(d.getTime())) return h("span", null, String(when));
  const full = utc(d);
  const text = options.date ? full.slice(0, 10) : options.seconds === false ? full.slice(0, 16) : full;
  const hover = `${full} UTC\n${local.format(d)}\n${relative(d)}`;
  if (options.ago) return ticking(h("time", { datetime: d.toISOString(), title: hover }), (el) => { el.textContent = relative(d); }, 15);
  return h("time", { datetime: d.toISOString(), title: hover }, text, options.date ? null : h("span", { class: "zone" }, " UTC"));
}

// One timer for all that counts; an element that has left the page is dropped.
const tickers = new Set();
let beat = 0;
function tick() {
  if (document.hidden) return; // nobody looks: it is drawn again when somebody does
  beat++;
  for (const t of tickers) {
    if (t.el.isConnected) t.seen = true;
    else if (t.seen || beat - t.born > 30) { tickers.delete(t); continue; }
    if (beat % t.every === 0) t.draw(t.el);
  }
}
/** Draws an element now and each so many seconds for as long as it is on the page. Returns the element. */
export function ticking(el, draw, every = 1) {
  if (tickers.size === 0 && beat === 0) {
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) for (const t of tickers) t.draw(t.el); });
  }
  tickers.add({ el, draw, every, born: beat, seen: false });
  draw(el);
  return el;
}

/** A clock that runs towards `due` and past it. options: level (fixed), began (RFC 3339: the level follows the share that is used up:
 *  warning from three quarters, bad when over), words (units in words instead of a clock). */
export function countdown(due, options = {}) {
  const end = asDate(due).getTime();
  const start = options.began ? asDate(options.began).getTime() : NaN;
  const el = h("span", { class: "countdown", role: "timer", title: `${utc(new Date(end))} UTC\n${local.format(new Date(end))}` });
  return ticking(el, () => {
    const left = (end - nowMs()) / 1000;
    const used = Number.isFinite(start) && end > start ? (nowMs() - start) / (end - start) : 0;
    const level = left < 0 ? "bad" : options.level ?? (used >= 0.75 || left < 3600 ? "warning" : "ok");
    if (el.dataset.level !== level) el.dataset.level = level;
    const shown = options.words ? duration(left) : clockText(left);
    const text = left < 0 ? `${MINUS}${shown}` : shown;
    if (el.firstChild?.data !== text) el.textContent = text;
  });
}

const LEVELS = {
  ok: "valid fresh up met done kept verified active ready healthy passed pass final approved sent published delivered answered resolved ok succeeded finished",
  info: "running processing open current started contained scoped drafted issued confirmed",
  warning: "pending due stale soon waiting paused held suspended warning proposed draft unread expiring behind degraded notice unverified starting late",
  bad: "overdue missed breached failed failing down expired-crl missing error fatal bad rejected refused invalid halted compromised broken lapsed",
};
const levelOf = new Map(Object.entries(LEVELS).flatMap(([level, words]) => words.split(" ").map((w) => [w, level])));

/** The level of a state's word; unknown words are quiet. */
export const level = (state) => levelOf.get(String(state ?? "").toLowerCase()) ?? "quiet";

const MARKS = { ok: "●", info: "◆", warning: "▲", bad: "■", quiet: "○" };
/** The mark of a level: its shape says it too. */
export const mark = (lvl) => h("span", { class: "mark", "data-level": lvl, "aria-hidden": "true" }, MARKS[lvl] ?? MARKS.quiet);

/** A state in words with its mark. lvl: where the word's own level is not meant. */
export function badge(text, lvl = level(text)) {
  return h("span", { class: "badge", "data-level": lvl }, mark(lvl), String(text ?? "–").replaceAll("_", " ").replaceAll("-", " "));
}

/** The beginning and end of something long, the whole on hover; copyable() where people need it. */
export function short(text, head = 8, tail = 6) {
  const t = String(text ?? "");
  if (t.length <= head + tail + 1) return h("code", null, t);
  return h("code", { title: t }, `${t.slice(0, head)}…${tail ? t.slice(-tail) : ""}`);
}

/** A value with a button that copies it. shown: a node instead of the whole text. */
export function copyable(text, shown) {
  const button = h("button", { class: "copy", type: "button", title: "Copy", "aria-label": `Copy ${String(text).slice(0, 60)}`, onclick: async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1200);
  } }, "Copy");
  return h("span", { class: "copyable" }, shown ?? h("code", null, text), " ", button);
}
