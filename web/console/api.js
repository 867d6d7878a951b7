// What pages read and change. Reading is by the session's cookie; changing is a request that the session's own key signs (session.js).
import { address, Problem, request } from "./problem.js";
import { setNow } from "./ui/text.js";

export { Problem } from "./problem.js";
export { approve, change } from "./session.js";

/** GET /api/v1/PATH. params: an object; empty values are left out, true is 1. options.signal: ctx.signal ends it when the page is left. */
export async function get(path, params, options = {}) {
  const response = await request(address(path, params), { signal: options.signal, headers: { Accept: "application/json" } });
  return response.json();
}

/** A question that is too long for an address: POST of text (a scope, a certificate). Changes nothing. Returns JSON.
 *  options: type (of the body; text/plain), params, signal. */
export async function ask(path, body, options = {}) {
  const response = await request(address(path, options.params), {
    method: "POST", body, signal: options.signal,
    headers: { "Content-Type": options.type ?? "text/plain", "X-Lintel": "1", Accept: "application/json" },
  });
  return response.json();
}

/** The bytes of an answer, for downloads and views: {bytes, type, name}. */
export async function raw(path, params, options = {}) {
  const response = await request(address(path, params), { signal: options.signal });
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "");
  return { bytes: new Uint8Array(await response.arrayBuffer()), type: response.headers.get("Content-Type") ?? "", name: name ? name[1] : "" };
}

/** All pages of a list, one document at a time: for await (const doc of pages("events")) … */
export async function* pages(path, params, options = {}) {
  let cursor = params?.cursor ?? null;
  do {
    const doc = await get(path, { ...params, cursor }, options);
    yield doc;
    cursor = doc.next ?? null;
  } while (cursor);
}

/** A list as table() wants it: source("certificates", "certificates", {status: "revoked"}). */
export function source(path, member, params, options = {}) {
  return async (cursor) => {
    const doc = await get(path, { limit: 50, ...params, cursor }, options);
    return { rows: doc[member] ?? [], next: doc.next ?? null, doc };
  };
}

// Of all open tabs one has the stream and tells the others: a browser opens six connections to a host, and no more.
const CHANNEL = "lintel-live";
const POLL_MS = 10000;
const AGAIN_MS = 60000;
const OWN_MS = 4000; // who sees a restricted incident reads its own overview so often at most, when anything changed;
const LOOK_MS = 20000; // all others so often, as they may have become one of them

const holdsRestricted = (o) => (o.incidents ?? []).some((i) => i.restricted);

/** The document of the stream is the same for all, so nothing restricted is in it. Who sees more is shown what GET overview says instead. */
function own(say, signal) {
  let sees = null; // not known yet
  let asked = -Infinity;
  let due = 0;
  let shared = null;
  const look = async () => {
    asked = Date.now();
    try {
      const data = await get("overview", null, { signal });
      sees = holdsRestricted(data);
      shared = data;
    } catch {
      sees ??= false; // what is shared is better than nothing
    }
    due = 0;
    if (!signal.aborted) say({ type: "overview", data: shared });
  };
  signal.addEventListener("abort", () => clearTimeout(due), { once: true });
  return (data) => {
    if (sees !== true) shared = data;
    if (sees === false) say({ type: "overview", data });
    due ||= setTimeout(look, Math.max(0, asked + (sees === false ? LOOK_MS : OWN_MS) - Date.now()));
  };
}

function stream(say, take, ended) {
  const events = new EventSource("/api/v1/live");
  let told = false; // why the stream ends: it is not that nobody answers
  events.addEventListener("end", (e) => {
    told = true;
    if (e.data === "session") say({ type: "session" });
  });
  events.addEventListener("overview", (e) => take(JSON.parse(e.data)));
  events.addEventListener("open", () => say({ type: "link", up: true }));
  events.addEventListener("error", () => {
    const closed = events.readyState === EventSource.CLOSED;
    if (!told && !closed) say({ type: "link", up: false });
    told = false;
    if (closed) ended(); // 503: all streams are taken; 401: the session is over
  });
  return events;
}

async function poll(say) {
  try {
    say({ type: "overview", data: await get("overview") });
    say({ type: "link", up: true });
  } catch {
    say({ type: "link", up: false });
  }
}

function lead(say, signal) {
  return new Promise((done) => {
    let events = null;
    let polling = 0;
    let again = 0;
    const take = own(say, signal);
    const open = () => {
      clearInterval(polling);
      events = stream(say, take, () => {
        poll(say);
        polling = setInterval(() => poll(say), POLL_MS);
        again = setTimeout(open, AGAIN_MS);
      });
    };
    open();
    signal.addEventListener("abort", () => { events.close(); clearInterval(polling); clearTimeout(again); done(); }, { once: true });
  });
}

/** Calls handler({type: "overview", data}) with the overview now and whenever it changes, and ({type: "link", up}) when the line comes and goes.
 *  Returns a function that ends it. Pages need not call it: the shell does, and passes events to the page's live(). */
export function live(handler) {
  const over = new AbortController();
  const channel = new BroadcastChannel(CHANNEL);
  const hear = (event) => {
    if (event.type === "session") return void get("session").catch(() => {}); // whose ended; all tabs have one: 401 says it to the window
    if (event.type === "overview") setNow(event.data.now);
    handler(event);
  };
  channel.onmessage = (e) => hear(e.data);
  get("overview", null, { signal: over.signal }).then((data) => hear({ type: "overview", data }), (e) => {
    if (e instanceof Problem) handler({ type: "link", up: false, problem: e });
  });
  const say = (event) => {
    if (over.signal.aborted) return;
    channel.postMessage(event);
    hear(event);
  };
  const mine = () => lead(say, over.signal);
  if (navigator.locks) navigator.locks.request(CHANNEL, { signal: over.signal }, mine).catch(() => {});
  else mine();
  return () => { over.abort(); channel.close(); };
}
