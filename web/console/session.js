// Who is logged in, and what they sign. The browser makes a key that no script can read (WebCrypto, kept in IndexedDB); a passkey or a client
// certificate says whose it is, once; from then on every change is a request that this key signs. The cookie, which no script sees, only reads.
import { address, Problem, request } from "./problem.js";

export { Problem } from "./problem.js";

const EC = { name: "ECDSA", namedCurve: "P-256" };
const SIGN = { name: "ECDSA", hash: "SHA-256" };
const KINDS = [-7, -8, -257]; // ES256, EdDSA, RS256
const NONCE_MS = 60000;

const utf8 = (text) => new TextEncoder().encode(text);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

export function base64url(bytes) {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function unbase64url(text) {
  const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

// ---- the key ----

function database() {
  return new Promise((done, failed) => {
    const open = indexedDB.open("lintel", 1);
    open.onupgradeneeded = () => open.result.createObjectStore("session");
    open.onsuccess = () => done(open.result);
    open.onerror = () => failed(new Problem(0, { detail: "This browser keeps no keys for the console. Private windows and some settings forbid IndexedDB." }));
  });
}

async function kept(mode, act) {
  const db = await database();
  try {
    return await new Promise((done, failed) => {
      const asked = act(db.transaction("session", mode).objectStore("session"));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  } finally {
    db.close();
  }
}

const keep = (entry) => kept("readwrite", (store) => store.put(entry, "now"));
const recall = () => kept("readonly", (store) => store.get("now"));
const forget = () => kept("readwrite", (store) => store.delete("now"));

/** The members that RFC 7638 hashes, in its order. */
async function publicJwk(key) {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", key);
  return { crv, kty, x, y };
}

// ---- signed requests ----

let spare = { nonce: null, since: 0 };

function keepNonce(response) {
  const nonce = response.headers.get("Replay-Nonce");
  spare = nonce ? { nonce, since: Date.now() } : spare;
}

async function takeNonce() {
  const { nonce, since } = spare;
  spare = { nonce: null, since: 0 };
  if (nonce && Date.now() - since < NONCE_MS) return nonce;
  const response = await request("/api/v1/nonce");
  return response.headers.get("Replay-Nonce");
}

/** One POST of a flattened JWS. head: {kid} or {jwk}. */
async function post(path, key, head, payload, nonce) {
  const header = base64url(utf8(JSON.stringify({ alg: "ES256", ...head, nonce, url: "lintel:" + path })));
  const body = base64url(utf8(JSON.stringify(payload)));
  const signature = base64url(await crypto.subtle.sign(SIGN, key, utf8(`${header}.${body}`)));
  const response = await request(path, {
    method: "POST", headers: { "Content-Type": "application/jose+json", Accept: "application/json" },
    body: JSON.stringify({ protected: header, payload: body, signature }),
  });
  keepNonce(response);
  return response.json();
}

const isBadNonce = (e) => e instanceof Problem && e.type.endsWith("badNonce");

/** Changes something: change("plans", {…}) → JSON, or a Problem is thrown. The session's key signs. */
export async function change(path, payload = {}) {
  const entry = await recall();
  if (!entry) throw new Problem(401, { detail: "This browser has no session. Log in again." });
  const target = address(path);
  const head = { kid: "session:" + entry.session };
  try {
    return await post(target, entry.keys.privateKey, head, payload, await takeNonce());
  } catch (e) {
    if (!isBadNonce(e)) throw e;
    return post(target, entry.keys.privateKey, head, payload, await takeNonce());
  }
}

// ---- passkeys ----

/** What a person declined, and what the browser cannot do, in words. */
function explain(e) {
  if (e.name === "NotAllowedError") return new Problem(0, { title: "Not done", detail: "No passkey was used: it was declined, or it took too long." });
  if (e.name === "SecurityError") return new Problem(0, { title: "Another address is needed", detail: `Passkeys do not work on ${location.host}. Open the console as localhost, or by its own name over https.` });
  if (e.name === "InvalidStateError") return new Problem(0, { title: "Known already", detail: "This authenticator has a passkey for you already." });
  return e;
}

function supported() {
  if (!window.PublicKeyCredential || !window.isSecureContext) {
    throw new Problem(0, { title: "Another address is needed", detail: `Browsers allow passkeys on localhost, or on a trusted name over https; this is ${location.origin}.` });
  }
}

/** The passkey's answer to the SHA-256 of a text. id: of the one that has to give it; else whoever is there chooses among those of this host name,
 *  which may be of other consoles: names know no ports. */
async function answerTo(text, id) {
  supported();
  const challenge = await sha256(utf8(text));
  let credential;
  try {
    credential = await navigator.credentials.get({ publicKey: { challenge, rpId: location.hostname, userVerification: "required", timeout: 120000,
      allowCredentials: id ? [{ type: "public-key", id: unbase64url(id) }] : [] } });
  } catch (e) {
    throw explain(e);
  }
  const r = credential.response;
  return { id: base64url(credential.rawId), "authenticator-data": base64url(r.authenticatorData), "client-data": base64url(r.clientDataJSON), signature: base64url(r.signature) };
}

// ---- log in ----

let who; // what current() found; undefined: not asked yet
let fresh; // id of the passkey that was made on this page: the next log-in is with it

/** {session, operator, roles, method, expires}, or null. Asked for once, and again after a log-in. */
export async function current() {
  if (who !== undefined) return who;
  try {
    const response = await fetch("/api/v1/session", { credentials: "same-origin", cache: "no-store" });
    who = response.ok ? await response.json() : null;
  } catch {
    return null;
  }
  const entry = who && await recall().catch(() => null);
  if (who && entry?.session !== who.session) who = null; // a cookie without its key: it could read and do nothing
  return who;
}

async function open(payloadOf) {
  const keys = await crypto.subtle.generateKey(EC, false, ["sign", "verify"]);
  const jwk = await publicJwk(keys.publicKey);
  const nonce = await takeNonce();
  const payload = await payloadOf(nonce, jwk);
  const made = await post("/api/v1/sessions", keys.privateKey, { jwk }, payload, nonce);
  await keep({ session: made.session, keys, passkey: payload.passkey?.id });
  who = made;
  window.dispatchEvent(new Event("lintel:session"));
  return made;
}

/** By a passkey that this browser, a phone or a security key keeps for this address. */
export function logIn() {
  return open(async (nonce, jwk) => {
    const thumbprint = base64url(await sha256(utf8(JSON.stringify(jwk))));
    const rp = location.hostname;
    return { rp, passkey: await answerTo(`lintel-session-v1\nnonce=${nonce}\nrp=${rp}\nkey=${thumbprint}\n`, fresh) };
  });
}

/** By the client certificate that TLS has proved. */
export const logInByCertificate = () => open(() => ({ certificate: true }));

/** Ends the session here and in the book; the key is gone either way. */
export async function leave() {
  try {
    await change("session/leave", {});
  } finally {
    who = null;
    await forget().catch(() => {});
  }
}

// ---- approve ----

/** What an approver signs (src/ca/approval.h), of the plan's own fields, so that what is shown is what is signed. */
export const statement = (plan) => `lintel-approval-v1\nplan=${plan.id}\naction=${plan.action}\nscope-sha256=${plan.scope_sha256}\ncount=${plan.count}\n`
  + `parameters=${plan.parameters_text}\nexpires=${plan.expires}\nproposer=${plan.proposer}\n`;

/** Approves a plan (the document of GET plans/ID, or its id) by passkey. */
export async function approve(plan) {
  const whole = typeof plan === "string" ? await (await request(address("plans/" + plan))).json() : plan;
  const session = await current();
  if (session?.method === "certificate") {
    throw new Problem(0, { title: "A passkey is needed", detail: `You are logged in by client certificate. Approve on the command line: lintel approve ${whole.id}` });
  }
  const passkey = await answerTo(statement(whole), (await recall().catch(() => null))?.passkey);
  return change(`plans/${whole.id}/approvals`, { passkey, signed: new Date().toISOString().replace(/\.\d+Z$/, "Z") });
}

// ---- enrol ----

/** NAME.BASE64URL(d ‖ x ‖ y) of an enrolment link. */
export function readLink(secret) {
  const dot = secret.lastIndexOf(".");
  const bytes = dot > 0 ? unbase64url(secret.slice(dot + 1)) : new Uint8Array();
  if (bytes.length !== 96) throw new Problem(0, { title: "Not a whole link", detail: "This link is cut off, or it is not one. Copy it whole, from http to the end." });
  return { operator: secret.slice(0, dot), d: base64url(bytes.slice(0, 32)), x: base64url(bytes.slice(32, 64)), y: base64url(bytes.slice(64)) };
}

async function make(operator, nonce, link) {
  const challenge = await sha256(utf8(`lintel-passkey-create-v1\nnonce=${nonce}\noperator=${operator}\n`));
  try {
    return await navigator.credentials.create({ publicKey: {
      challenge, rp: { id: location.hostname, name: "Lintel" }, attestation: "none", timeout: 180000,
      user: { id: await sha256(utf8(link.x + link.y)), name: `${operator} (${location.host})`, displayName: `${operator} (${location.host})` },
      pubKeyCredParams: KINDS.map((alg) => ({ type: "public-key", alg })),
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    } });
  } catch (e) {
    throw explain(e);
  }
}

/** Makes a passkey and binds it to the link's operator. secret: location.hash without its "#". Returns {operator, passkey}. */
export async function enroll(secret) {
  supported();
  const link = readLink(secret);
  const { operator, d, x, y } = link;
  const key = await crypto.subtle.importKey("jwk", { kty: "EC", crv: "P-256", d, x, y }, EC, false, ["sign"]);
  const nonce = await takeNonce();
  const credential = await make(operator, nonce, link);
  const r = credential.response;
  const rp = location.hostname;
  const said = `lintel-passkey-v1\noperator=${operator}\nrp=${rp}\ncredential=${base64url(credential.rawId)}\nkey=${base64url(r.getPublicKey())}\n`;
  const signature = base64url(await crypto.subtle.sign(SIGN, key, utf8(said)));
  const payload = { operator, rp, "authenticator-data": base64url(r.getAuthenticatorData()), "client-data": base64url(r.clientDataJSON), signature };
  const made = await post("/api/v1/passkeys", key, { jwk: { crv: "P-256", kty: "EC", x, y } }, payload, nonce);
  fresh = base64url(credential.rawId);
  return made;
}
