// The only way in which this console makes elements: h() and s(). No markup is ever parsed, so that no text of a
// certificate, a name or a report can become an element (the CSP demands trusted types as well).

const SAFE_HREF = /^(?:[/#?]|https?:|mailto:|blob:)/i;
const SVG = "http://www.w3.org/2000/svg";

function setClass(el, value) {
  const list = Array.isArray(value) ? value : typeof value === "object" ? Object.keys(value).filter((k) => value[k]) : [value];
  const text = list.filter(Boolean).join(" ");
  if (text) el.setAttribute("class", text);
}

function setOne(el, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") return setClass(el, value);
  if (name === "style") return Object.entries(value).forEach(([k, v]) => el.style.setProperty(k, v));
  if (name === "dataset") return Object.assign(el.dataset, value);
  if (name.startsWith("on") && typeof value === "function") return el.addEventListener(name.slice(2).toLowerCase(), value);
  if (name === "value" && "value" in el && el.localName !== "li") return void (el.value = value);
  if (name === "href" && !SAFE_HREF.test(value)) return; // javascript: and its kin
  el.setAttribute(name, value === true ? "" : String(value));
}

/** Adds children: nodes, strings, numbers, arrays of these; null, undefined and false are left out. */
export function append(el, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === true) continue;
    el.append(child instanceof Node ? child : String(child));
  }
  return el;
}

function make(el, props, children) {
  append(el, children); // first: a select's value needs its options
  for (const [name, value] of Object.entries(props ?? {})) setOne(el, name, value);
  return el;
}

/** h("a", {class: ["quiet", bad && "bad"], href, onclick: fn, style: {width: "3px"}, dataset: {id: 1}, "aria-label": "…"}, "text", node, [more]). */
export const h = (tag, props, ...children) => make(document.createElement(tag), props, children);

/** The same for SVG. */
export const s = (tag, props, ...children) => make(document.createElementNS(SVG, tag), props, children);

/** Text for screen readers alone. */
export const spoken = (text) => h("span", { class: "spoken" }, text);

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']";
const nameOf = (el) => el.dataset.key ?? el.id ?? "" + (el.getAttribute("href") ?? el.textContent);

/** Replaces the children of a container and keeps focus where it was: by data-key, id, address or text, else by position. */
export function redraw(container, ...children) {
  const active = document.activeElement;
  const had = active && active !== container && container.contains(active);
  const before = had ? [...container.querySelectorAll(FOCUSABLE)] : [];
  const index = had ? before.indexOf(active) : -1;
  const name = had ? nameOf(active) : "";
  container.replaceChildren();
  append(container, children);
  if (had) {
    const now = [...container.querySelectorAll(FOCUSABLE)];
    (now.find((el) => nameOf(el) === name) ?? now[Math.min(index, now.length - 1)])?.focus({ preventScroll: true });
  }
  return container;
}

/** Says something to screen readers without moving focus. */
export function announce(text) {
  const region = document.getElementById("announce");
  if (region) region.textContent = region.textContent === text ? text + " " : text;
}

let serial = 0;
/** A new id for label/for, aria-labelledby and the like. */
export const newId = (word = "x") => `${word}-${++serial}`;
