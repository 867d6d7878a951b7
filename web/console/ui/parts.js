// The small parts of a page: headings, cards, facts, buttons, forms, empty states, failures.
import { append, h, newId } from "./dom.js";
import { mark } from "./text.js";

/** A button. props.kind: "primary" (one on a page), "danger", or none. */
export function button(text, props = {}) {
  const { kind, class: more, ...rest } = props;
  return h("button", { type: "button", class: ["button", kind, more], ...rest }, text);
}

/** A link that looks like a button. */
export const linkButton = (text, href, props = {}) => h("a", { class: ["button", props.kind], href, ...props, kind: null }, text);

/** The head of a page: title(s), one line below, actions on the right. Every page starts with it; the router moves focus to its h1. */
export function head(title, options = {}) {
  return h("header", { class: "page-head" },
    h("div", { class: "page-title" },
      options.trail ? h("nav", { class: "trail", "aria-label": "Where this is" }, options.trail.map(([text, href], i) => [i ? " / " : null, h("a", { href }, text)])) : null,
      h("h1", { tabindex: "-1" }, title, options.state ? [" ", options.state] : null),
      options.text ? h("p", { class: "lead" }, options.text) : null),
    options.actions ? h("div", { class: "actions" }, options.actions) : null);
}

/** A card. options: actions (nodes at the right of the title), level (a bar at its edge: warning or bad alone), class ("span-2", "flush" for tables), note. */
export function card(title, body, options = {}) {
  const id = newId("card");
  return h("section", { class: ["card", options.class], "data-level": options.level ?? null, "aria-labelledby": title ? id : null },
    title ? h("header", { class: "card-head" }, h("h2", { id }, title), options.note ? h("span", { class: "quiet note" }, options.note) : null,
      options.actions ? h("div", { class: "actions" }, options.actions) : null) : null,
    h("div", { class: "card-body" }, body));
}

/** Cards side by side where there is room. */
export const cards = (...list) => h("div", { class: "cards" }, list);

/** Names and values: facts([["Serial", node], ["Issuer", "tls"], null]). Empty values are left out. */
export function facts(list, options = {}) {
  return h("dl", { class: ["facts", options.class] }, list.filter((f) => f && f[1] !== null && f[1] !== undefined && f[1] !== "")
    .map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

/** One large number with its name; level colours it only when something is wrong. */
export const figure = (value, name, options = {}) => h("div", { class: "figure", "data-level": options.level ?? null },
  h("div", { class: "figure-value" }, value), h("div", { class: "figure-name" }, name), options.text ? h("div", { class: "quiet small" }, options.text) : null);

/** Nothing is there, and what to do: empty("No plan waits.", "Dangerous actions show up here before they run.", linkButton(…)). */
export const empty = (text, hint, ...actions) => h("div", { class: "empty" }, h("p", null, text), hint ? h("p", { class: "quiet" }, hint) : null,
  actions.length ? h("div", { class: "actions" }, actions) : null);

/** A line that tells something: level ok, info, warning or bad. */
export const notice = (level, ...content) => h("div", { class: "notice", "data-level": level, role: level === "bad" ? "alert" : null }, mark(level), h("div", null, content));

/** What went wrong (a Problem or an Error), in its own words, and a way to try again. */
export function failure(error, again) {
  const title = error.status === 403 ? "Not for your roles" : error.status === 404 ? "Not found" : error.status === 0 ? "No answer" : error.title || "This did not work";
  return h("div", { class: "notice failure", "data-level": "bad", role: "alert" }, mark("bad"),
    h("div", null, h("strong", null, title), h("p", null, error.detail ?? error.message)), again ? button("Try again", { onclick: again }) : null);
}

/** A field of a form: label, control, a hint below. control: an input, select or textarea from h(). options: hint, error (text), inline. */
export function field(label, control, options = {}) {
  const id = control.id || newId("field");
  const hint = newId("hint");
  control.id = id;
  if (options.hint || options.error) control.setAttribute("aria-describedby", hint);
  if (options.error) control.setAttribute("aria-invalid", "true");
  return h("div", { class: ["field", options.class] }, h("label", { for: id }, label), control,
    options.hint || options.error ? h("p", { id: hint, class: options.error ? "field-error" : "hint" }, options.error ?? options.hint) : null);
}

/** <select> of [value, text] or words. */
export const select = (name, choices, value, props = {}) => h("select", { name, value, ...props }, choices.map((c) => (Array.isArray(c) ? c : [c, c])).map(([v, text]) => h("option", { value: v }, text)));

/** Links of which one is here: tabs([["Fields", "?view=fields", true], …]). */
export const tabs = (list, label = "Parts of this page") => h("nav", { class: "tabs", "aria-label": label }, list.map(([text, href, here]) => h("a", { href, "aria-current": here ? "page" : null }, text)));

/** Something that is opened where it stands. */
export const more = (title, ...content) => h("details", { class: "more" }, h("summary", null, title), content);

/** What happened, newest first or last as given: [{time: Node, title, text, level}]. */
export const timeline = (list) => h("ol", { class: "timeline" }, list.map((e) => h("li", { "data-level": e.level ?? "quiet" }, h("div", { class: "timeline-time" }, e.time), h("div", { class: "timeline-body" }, h("div", null, e.title), e.text ? h("div", { class: "quiet" }, e.text) : null))));

/** Offers bytes or text as a file. */
export function download(name, content, type = "application/octet-stream") {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const a = h("a", { href: url, download: name });
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** A word about what was done, at the foot of the window; it goes by itself. */
export function toast(text, level = "ok") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const el = append(h("div", { class: "toast", "data-level": level, role: "status" }), mark(level), h("span", null, text));
  place.append(el);
  setTimeout(() => el.remove(), level === "bad" ? 15000 : 6000);
}
