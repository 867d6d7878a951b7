// The frame around every page. Its first line is the answer to "what is wrong, and which clock runs out first?"; it is on every page, so that nobody
// has to go and look.
import { leave } from "./session.js";
import { groups, pages } from "./pages/index.js";
import { h, newId, redraw } from "./ui/dom.js";
import { dialog } from "./ui/dialog.js";
import { redrawPlots } from "./ui/plot.js";
import { countdown, mark, nowMs, number, ticking } from "./ui/text.js";

const INK = { ok: "#2e8b57", warning: "#d98f00", bad: "#d9362b", none: "#7b8591" };
const store = (name, value) => { try { return value === undefined ? localStorage.getItem(name) : localStorage.setItem(name, value); } catch { return null; } };

/** The tab's icon says how things stand as well: a lintel over its two posts, in the colour of the level. */
function icon(level) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="${INK[level] ?? INK.none}" d="M1 2h14v4H1zM3 7h3v7H3zM10 7h3v7h-3z"/></svg>`;
  document.querySelector("link[rel=icon]")?.setAttribute("href", "data:image/svg+xml," + encodeURIComponent(svg));
}

function themeChoice() {
  const now = store("lintel-theme") ?? "system";
  const choose = (value) => {
    if (value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
    store("lintel-theme", value);
    redrawPlots();
  };
  return h("fieldset", { class: "choice" }, h("legend", null, "Theme"), ["system", "light", "dark"].map((value) => {
    const id = newId("theme");
    return h("span", null, h("input", { type: "radio", name: "theme", id, value, checked: value === now, onchange: () => choose(value) }), h("label", { for: id }, value[0].toUpperCase() + value.slice(1)));
  }));
}

function help() {
  const box = h("input", { type: "checkbox", id: "keys-on", checked: keysOn(), onchange: (e) => store("lintel-keys", e.target.checked ? "on" : "off") });
  const row = (keys, text) => h("tr", null, h("th", { scope: "row" }, keys.map((k) => [h("kbd", null, k), " "])), h("td", null, text));
  dialog("Keyboard", [h("table", { class: "keys" }, h("caption", { class: "spoken" }, "Shortcuts"), h("tbody", null, pages.filter((p) => p.key).map((p) => row(["g", p.key], p.title)), row(["/"], "Search on this page"), row(["?"], "This list"))),
    h("p", { class: "row" }, box, h("label", { for: "keys-on" }, "Use these shortcuts"))]);
}

const keysOn = () => store("lintel-keys") !== "off";

function takeKeys(navigate) {
  let led = 0;
  document.addEventListener("keydown", (e) => {
    const typing = e.target.closest?.("input, textarea, select, [contenteditable], dialog");
    if (typing || e.ctrlKey || e.metaKey || e.altKey || !keysOn()) return;
    const page = Date.now() - led < 1500 && pages.find((p) => p.key === e.key);
    led = e.key === "g" ? Date.now() : 0;
    if (page) navigate("/console" + page.path);
    else if (e.key === "?") help();
    else if (e.key === "/") document.querySelector("main input[type=search], main input:not([type]), main textarea")?.focus();
    else return;
    e.preventDefault();
  });
}

function navigation(may) {
  const el = h("nav", { id: "nav", class: "nav", "aria-label": "Pages" });
  el.draw = (here, overview) => redraw(el, groups.map((group) => {
    const list = pages.filter((p) => p.group === group && may(p.roles));
    if (!list.length) return null;
    const id = newId("group");
    return h("div", { class: "nav-group" }, h("h2", { id }, group), h("ul", { "aria-labelledby": id }, list.map((p) => {
      const [count, level] = (overview && p.count?.(overview)) || [];
      return h("li", null, h("a", { href: "/console" + p.path, "aria-current": p === here || here?.under === p.path ? "page" : null }, h("span", null, p.title), count ? h("span", { class: "count", "data-level": level ?? "quiet" }, number(count)) : null));
    })));
  }));
  return el;
}

function person(session) {
  const roles = session.roles.map((r) => r[0].toUpperCase() + r.slice(1)).join(", ");
  return h("details", { class: "me" }, h("summary", null, h("span", { class: "spoken" }, "Logged in as "), session.operator),
    h("div", { class: "me-panel" }, h("p", null, h("strong", null, session.operator), h("br"), h("span", { class: "quiet" }, roles || "no role")),
      h("p", { class: "quiet" }, "Session ends in ", countdown(session.expires, { level: "quiet" })), themeChoice(),
      h("div", { class: "me-actions" }, h("button", { type: "button", class: "button", onclick: help }, "Keyboard"),
        h("button", { type: "button", class: "button", onclick: async () => { await leave(); location.assign("/console/login"); } }, "Log out"))));
}

function worstLine(overview, up) {
  if (!up) return h("span", { class: "worst", "data-level": "bad", role: "alert" }, mark("bad"), h("span", null, "No answer from the family. What is shown is old."));
  if (!overview) return h("span", { class: "worst", "data-level": "quiet" });
  const w = overview.worst ?? { level: "ok", text: "Nothing is wrong" };
  const inner = [mark(w.level), h("span", null, w.text || "Nothing is wrong")];
  return w.href ? h("a", { class: "worst", "data-level": w.level, href: w.href }, inner) : h("span", { class: "worst", "data-level": w.level }, inner);
}

function nextLine(overview) {
  const next = overview?.next?.[0];
  if (!next) return null;
  return h("a", { class: "next", href: next.href ?? "/console/", title: next.what }, h("span", { class: "next-what" }, next.what[0].toUpperCase() + next.what.slice(1)), " ", countdown(next.due, { level: next.level }));
}

/** The frame. Returns {nodes, main, mark(page), who(session), live(event), title(text)}. */
export function shell({ navigate, may }) {
  const view = { page: null, session: null, overview: null, up: true, title: "" };
  const nav = navigation(may);
  const worst = h("div", { class: "bar-worst" });
  const next = h("div", { class: "bar-next" });
  const me = h("div", { class: "bar-me" });
  const flag = h("span", { class: "flag", hidden: true });
  const name = h("span", { class: "ca-name" });
  const clock = ticking(h("time", { class: "clock", title: "The family's clock" }), (el) => { el.replaceChildren(new Date(nowMs()).toISOString().slice(11, 19), h("span", { class: "zone" }, " UTC")); });
  const menu = h("button", { type: "button", class: "menu", "aria-controls": "nav", "aria-expanded": "false", onclick: () => openMenu(menu.getAttribute("aria-expanded") !== "true") }, "Menu");
  const main = h("main", { id: "main" });
  const bar = h("header", { class: "bar" }, menu, h("a", { class: "brand", href: "/console/" }, h("span", { class: "brand-mark", "aria-hidden": "true" }), h("span", { class: "brand-name" }, "Lintel"), name), flag, worst, next, clock, me);

  function openMenu(open) {
    menu.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("menu-open", open);
  }
  function retitle() {
    const level = view.up ? view.overview?.worst?.level : "bad";
    const sign = level === "bad" ? "■ " : level === "warning" ? "▲ " : "";
    document.title = `${sign}${view.title ? view.title + " · " : ""}${view.overview?.ca?.name ?? "Lintel"}`;
    icon(view.session ? level : "none");
  }
  function draw() {
    const o = view.overview;
    redraw(worst, view.session ? worstLine(o, view.up) : null);
    redraw(next, view.session ? nextLine(o) : null);
    name.textContent = o?.ca?.name ?? "";
    flag.hidden = !(o?.ca?.drill || o?.ca?.testing);
    flag.textContent = o?.ca?.drill ? "Drill: nothing here is real" : "Testing CA";
    nav.draw(view.page, view.session ? o : null);
    retitle();
  }
  takeKeys(navigate);
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    openMenu(false);
    const panel = me.querySelector("details[open]");
    if (panel) { panel.open = false; panel.querySelector("summary").focus(); }
  });
  document.addEventListener("click", (e) => {
    const panel = me.querySelector("details[open]");
    if (panel && !panel.contains(e.target)) panel.open = false;
  });
  const rest = [h("div", { id: "announce", class: "spoken", "aria-live": "polite" }), h("div", { id: "toasts", class: "toasts" })];
  return {
    nodes: [h("a", { class: "skip", href: "#main" }, "Skip to the content"), bar, nav, main, ...rest], main,
    mark(page) { view.page = page; openMenu(false); nav.draw(page, view.session ? view.overview : null); },
    who(session) {
      view.session = session;
      document.body.classList.toggle("anonymous", !session);
      redraw(me, session ? person(session) : null);
      draw();
    },
    live(event) {
      if (event.type === "link") { if (event.up === view.up) return; view.up = event.up; }
      else { const before = view.overview; view.overview = event.data; view.up = true; if (before && JSON.stringify(parts(before)) === JSON.stringify(parts(event.data))) return; }
      draw();
    },
    title(text) { view.title = text; retitle(); },
  };
}

/** What of the overview the frame shows. */
const parts = (o) => [o.worst, o.next?.[0], o.ca, pages.map((p) => p.count?.(o))];
