// One request to the family, and what went wrong with it as RFC 9457 tells it.

/** status, type (URI), title, detail: what was wrong, where, and what to do; document: all of it. status 0: no answer at all. */
export class Problem extends Error {
  constructor(status, document = {}) {
    super(document.detail || document.title || `The family answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.type = document.type ?? "";
    this.title = document.title ?? "";
    this.detail = this.message;
    this.document = document;
  }
}

async function problemOf(response) {
  const text = await response.text();
  try {
    return new Problem(response.status, JSON.parse(text));
  } catch {
    return new Problem(response.status, { detail: text.slice(0, 300) || `The family answered ${response.status} ${response.statusText}.` });
  }
}

/** "certificates" → "/api/v1/certificates?…"; empty parameters are left out. */
export function address(path, params) {
  const base = path.startsWith("/") ? path : "/api/v1/" + path;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== null && value !== undefined && value !== "" && value !== false) query.set(name, value === true ? "1" : String(value));
  }
  const text = query.toString().replaceAll("+", "%20"); // a plus is one, over there
  return text ? `${base}?${text}` : base;
}

/** The answer, or a Problem is thrown. Says to the window ("lintel:ended") when the session is over. */
export async function request(url, init = {}) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", cache: "no-store", redirect: "error", ...init });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    throw new Problem(0, { title: "No answer", detail: "The family does not answer. It may be restarting; what is shown is what was last heard." });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401) window.dispatchEvent(new CustomEvent("lintel:ended", { detail: problem }));
  throw problem;
}
