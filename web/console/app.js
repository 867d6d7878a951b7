// The console: who is logged in, which page is shown, and what the family says meanwhile.
import { live } from "./api.js";
import { ending } from "./ending.js";
import { current } from "./session.js";
import { pages } from "./pages/index.js";
import { announce, h } from "./ui/dom.js";
import { empty, failure, head, linkButton } from "./ui/parts.js";
import { shell } from "./shell.js";

const BASE = "/console";
const state = { session: null, overview: null, page: null, module: null, ctx: null, leave: null, frame: null, stop: null, was: null };
const end = ending();

function find(path) {
  for (const page of pages) {
    const match = page.path instanceof RegExp ? page.path.exec(path) : page.path === path ? [path] : null;
    if (match) return { page, match };
  }
  return null;
}

const may = (roles) => !roles || roles.some((role) => state.session?.roles.includes(role));
const here = () => decodeURI(location.pathname.slice(BASE.length).replace(/\/+$/, "") || "/");

function context(found) {
  return {
    path: here(), match: found.match, params: new URLSearchParams(location.search), session: state.session, overview: state.overview,
    signal: state.leave.signal, may: (...roles) => may(roles), navigate, reload: route,
    setQuery(values) {
      const query = new URLSearchParams(Object.entries(values).filter(([, v]) => v !== null && v !== undefined && v !== ""));
      history.replaceState(null, "", location.pathname + (query.size ? "?" + query : ""));
      state.ctx.params = query;
    },
  };
}

const refused = (page) => h("div", null, head(page.title), empty("Not for your roles.", `This page is for ${page.roles.join(", ")}. You have: ${state.session.roles.join(", ") || "none"}.`, linkButton("Overview", "/console/")));
const unknown = () => h("div", null, head("Nothing at this address"), empty("There is no such page.", "It may have been renamed, or the address was cut.", linkButton("Overview", "/console/")));

async function render(found) {
  if (!found) return unknown();
  if (!found.page.open && !may(found.page.roles)) return refused(found.page);
  const module = await found.page.load();
  state.module = module.default ?? module;
  return state.module.show(state.ctx);
}

/** Shows the page of the address. first: focus stays where it is. */
async function route(first = false) {
  let found = find(here());
  if (!state.session && !found?.page.open) {
    const next = here() + location.search;
    history.replaceState(null, "", `${BASE}/login${next === "/" ? "" : "?next=" + encodeURIComponent(next)}`);
    found = find("/login") ?? found;
  }
  state.leave?.abort();
  state.leave = new AbortController();
  const turn = state.leave;
  state.page = found?.page ?? null;
  state.module = null;
  state.ctx = found ? context(found) : null;
  state.frame.mark(state.page);
  let node;
  try {
    node = await render(found);
  } catch (e) {
    if (turn.signal.aborted) return;
    console.error(e);
    node = h("div", null, head(found.page.title), failure(e, () => route()));
  }
  if (turn.signal.aborted) return;
  show(node, first === true);
}

function show(node, first) {
  const main = state.frame.main;
  main.replaceChildren(node);
  const title = main.querySelector("h1")?.textContent ?? state.page?.title ?? "";
  state.frame.title(title);
  if (first) return;
  window.scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
  announce(title);
}

function navigate(href, options = {}) {
  const url = new URL(href, location.href);
  if (url.origin !== location.origin || !url.pathname.startsWith(BASE)) return void location.assign(url);
  history[options.replace ? "replaceState" : "pushState"](null, "", url);
  route();
}

/** Plain clicks on links into the console stay in the page. */
function takeClicks(event) {
  const a = event.target.closest?.("a[href]");
  if (!a || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (a.target || a.hasAttribute("download") || a.origin !== location.origin || !a.pathname.startsWith(BASE) || a.pathname.startsWith(BASE + "/assets/")) return;
  if (a.hash && a.pathname === location.pathname && a.search === location.search) return;
  event.preventDefault();
  navigate(a.href);
}

function hear(event) {
  if (event.type === "overview") state.overview = event.data;
  state.frame.live(event);
  if (event.type !== "overview" || !state.ctx) return;
  state.ctx.overview = event.data;
  try {
    state.module?.live?.(event, state.ctx);
  } catch (e) {
    console.error(e);
  }
}

/** After a log-in or its end: the frame shows who is here, and the stream runs only for somebody. */
async function begin() {
  const was = state.was;
  state.session = await current();
  state.was = null;
  end.began(state.session);
  state.frame.who(state.session);
  state.stop?.();
  state.stop = state.session ? live(hear) : null;
  if (was && was !== state.session?.operator) route(); // what another one typed is not theirs
}

async function start() {
  state.frame = shell({ navigate, may });
  document.body.replaceChildren(...state.frame.nodes);
  document.addEventListener("click", takeClicks);
  window.addEventListener("popstate", () => route());
  window.addEventListener("lintel:session", async () => { await begin(); });
  window.addEventListener("lintel:ended", async () => {
    if (!state.session) return;
    const { session } = state;
    state.was = session.operator;
    state.session = null;
    state.stop?.();
    end.ended(session, () => location.reload());
  });
  // The overview's code is on its way while the family says who this is.
  find(here())?.page.load().catch(() => {});
  await begin();
  await route(true);
}

start();
