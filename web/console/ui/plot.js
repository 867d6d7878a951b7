// Plots of numbers over time, on uPlot, which is fetched when the first is drawn. Every plot says its numbers in words and as a table too.
import { append, h } from "./dom.js";
import { number } from "./text.js";

const live = new Set();
const instant = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "2-digit", month: "short", year: "numeric" });

/** What a colour of the style sheet is just now. */
function ink(el, name) {
  const probe = h("span", { style: { color: `var(${name})`, display: "none" } });
  el.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function series(uPlot, el, spec) {
  const colour = ink(el, `--tone-${spec.tone ?? "a"}`);
  const bars = spec.kind === "bars";
  return { label: spec.name, stroke: colour, fill: bars ? colour : spec.kind === "area" ? colour.replace("rgb(", "rgba(").replace(")", ", 0.15)") : undefined, width: bars ? 0 : 1.5,
    points: { show: false }, paths: bars ? uPlot.paths.bars({ size: [0.8, 40], align: 1 }) : undefined };
}

function axis(el, more) {
  return { stroke: ink(el, "--ink-2"), font: `11px ${getComputedStyle(el).fontFamily}`, grid: { stroke: ink(el, "--line"), width: 1 }, ticks: { show: false }, ...more };
}

const compact = new Intl.NumberFormat("en-GB", { notation: "compact" });

function uplotOptions(uPlot, el, options, width, hover) {
  return {
    width, height: options.height ?? 160, padding: [8, 4, 0, 0], legend: { show: false }, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false }, points: { size: 6 }, y: false },
    scales: { x: { time: true }, y: { range: (u, min, max) => [0, Math.max(max * 1.08, options.least ?? 4)] } },
    axes: [axis(el, { size: 24, space: 70, grid: { show: false }, values: [[86400 * 28, "{MMM} {YYYY}", null, null, null, null, null, null, 1], [86400, "{D} {MMM}", null, null, null, null, null, null, 1], [60, "{HH}:{mm}", null, null, null, null, null, null, 1]] }),
      axis(el, { size: 44, space: 36, values: (u, v) => v.map((n) => (Number.isInteger(n) ? compact.format(n) : "")) })],
    series: [{}, ...options.series.map((sp) => series(uPlot, el, sp))], hooks: { setCursor: [(u) => hover(u.cursor.idx)] },
  };
}

/** Bars over one another: uPlot draws each series from zero, so the sums go in, the topmost first. */
function stacked(options) {
  const values = options.series.map((sp) => sp.values);
  if (!options.stack) return [options.x, ...values];
  return [options.x, ...values.map((v, i) => v.map((n, k) => values.slice(i).reduce((sum, other) => sum + (other[k] ?? 0), 0)))];
}

function asTable(options) {
  const when = options.step === "day" ? day : instant;
  const rows = options.x.map((x, i) => ({ x, i })).filter(({ i }) => options.series.some((sp) => sp.values[i])).slice(-400);
  return h("table", { class: "grid tight" }, h("caption", { class: "spoken" }, options.label), h("thead", null, h("tr", null, h("th", { scope: "col" }, "UTC"), options.series.map((sp) => h("th", { scope: "col", class: "num" }, sp.name)))),
    h("tbody", null, rows.map(({ x, i }) => h("tr", null, h("th", { scope: "row" }, when.format(x * 1000)), options.series.map((sp) => h("td", { class: "num" }, number(sp.values[i] ?? 0)))))));
}

/**
 * A plot over time. options:
 *   label    what it shows, in a sentence with the main number: what a screen reader says
 *   x        epoch seconds; series: [{name, values, kind: "bars"|"line"|"area", tone: "a".."e"|"ok"|"warning"|"bad"}]
 *   stack    true: bars over one another; step: "day" or "minute"; height; least: the y axis reaches at least so far
 * The element has update(options) for live data: the same series, other numbers.
 */
export function plot(options) {
  const place = h("div", { class: "plot-canvas", style: { height: `${options.height ?? 160}px` }, role: "img", "aria-label": options.label });
  const legend = h("figcaption", { class: "legend" });
  const rows = h("details", { class: "more plot-table" }, h("summary", null, "As a table"));
  const el = h("figure", { class: "plot" }, legend, place, rows);
  let chart = null;
  let library = null;
  function hover(i) {
    const at = i === null || i === undefined ? null : i;
    legend.replaceChildren();
    append(legend, options.series.map((sp) => h("span", null, h("i", { "data-tone": sp.tone ?? "a", "aria-hidden": "true" }), sp.name, at === null ? null : [" ", h("b", null, number(sp.values[at] ?? 0))])),
      h("span", { class: "quiet legend-time" }, at === null ? options.note ?? "" : `${(options.step === "day" ? day : instant).format(options.x[at] * 1000)} UTC`));
  }
  function draw() {
    if (!library || !el.isConnected) return;
    chart?.destroy();
    const width = place.clientWidth;
    if (width < 40) return;
    chart = new library(uplotOptions(library, el, options, width, hover), stacked(options), place);
    chart.root.setAttribute("aria-hidden", "true");
  }
  const watch = new ResizeObserver(() => { if (chart && place.clientWidth !== chart.width) chart.setSize({ width: place.clientWidth, height: options.height ?? 160 }); else if (!chart) draw(); });
  watch.observe(place);
  rows.addEventListener("toggle", () => { if (rows.open && rows.children.length === 1) rows.append(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": options.label }, asTable(options))); });
  hover(null);
  import("uplot").then((module) => { library = module.default; draw(); });
  el.redraw = draw;
  el.update = (next) => {
    const same = next.x.length === options.x.length && JSON.stringify([next.x, next.series.map((sp) => sp.values)]) === JSON.stringify([options.x, options.series.map((sp) => sp.values)]);
    options = { ...options, ...next };
    place.setAttribute("aria-label", options.label);
    if (same) return;
    if (chart) chart.setData(stacked(options));
    while (rows.children.length > 1) rows.lastChild.remove();
    if (rows.open) rows.open = false;
    hover(null);
  };
  el.gone = () => {
    if (!chart || el.isConnected) return false;
    chart.destroy();
    watch.disconnect();
    return true;
  };
  for (const old of live) if (old.gone()) live.delete(old);
  live.add(el);
  return el;
}

/** After the theme has changed: canvases do not follow a style sheet. */
export function redrawPlots() {
  for (const el of live) if (el.isConnected) el.redraw();
    else live.delete(el);
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawPlots);
