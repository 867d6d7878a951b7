/**
 * What pages are built of. import { h, card, table, time, … } from "../ui.js"; each is described where it stands:
 *
 *   ui/dom.js     h(tag, props, …children), s() for SVG, append, redraw(container, …) keeps focus, announce(text), spoken(text), newId
 *   ui/text.js    number, plural, percent, size, duration, clockText, relative; time(rfc3339), countdown(due, {began, level}), badge(state),
 *                 level(state), mark(level), short(hex), copyable(text); nowMs() (the family's clock), ticking(el, draw, seconds)
 *   ui/parts.js   head(title, {text, actions, trail, state}) first on every page; card, cards, facts, figure, button, linkButton, field, select,
 *                 tabs, more, timeline, empty, notice, failure, download, toast
 *   ui/table.js   table({columns, rows | source, …}) with paging by cursor; filters(items, values, onChange)
 *   ui/dialog.js  dialog, confirm, form, dangerous({plan, run}) for what cannot be taken back, approval(planId), planView
 *   ui/bars.js    stack (shares), progress, tiers (a mass revocation)
 *   ui/plot.js    plot({x, series, …}) over time
 *   ui/bytes.js   bytes(Uint8Array, marks), unbase64
 *
 * A page is a module of pages/ listed in pages/index.js:
 *
 *   export async function show(ctx) → Node     ctx: path, match (of the page's RegExp), params (URLSearchParams), session {operator, roles},
 *                                              may("operator") → boolean, overview (the last one, or null), signal (aborts when the page is left: pass it to get()),
 *                                              navigate(href), setQuery({…}) (changes the address; show() is not called again), reload()
 *   export function live(event, ctx)           optional; event {type: "overview", data} at most each 2 s while the page is shown
 *
 * Links are plain <a href="/console/…">; the router takes them. Class names that style.css knows: grid-2, row, quiet, small, mono, num, scroll, wide.
 */
export * from "./ui/bars.js";
export * from "./ui/bytes.js";
export * from "./ui/dialog.js";
export * from "./ui/dom.js";
export * from "./ui/findings.js";
export * from "./ui/parts.js";
export * from "./ui/plot.js";
export * from "./ui/scopebox.js";
export * from "./ui/table.js";
export * from "./ui/text.js";
