// The lint explorer: bytes in, findings and their places out. The family judges; nothing that is dropped here is kept.
import { ask, get } from "../api.js";
import { announce, badge, button, card, empty, facts, failure, field, findingsView, h, head, number, plural, redraw, resultLevel, select, tally } from "../ui.js";

const LARGEST = 48 * 1024;
const KINDS = [["", "what it looks like"], ["certificate", "certificate"], ["crl", "CRL"], ["ocsp", "OCSP answer"], ["csr", "request (CSR)"]];
const PROFILES = ["", "private", "tls-dv", "tls-ov", "tls-iv", "tls-ev", "smime", "code-signing"];

function base64(data) {
  let text = "";
  for (let i = 0; i < data.length; i += 0x8000) text += String.fromCharCode(...data.subarray(i, i + 0x8000));
  return btoa(text);
}

/** Text stays text (PEM, base64); all else goes as base64. */
async function textOf(file) {
  const data = new Uint8Array(await file.arrayBuffer());
  const printable = data.every((b) => (b >= 0x20 && b < 0x7f) || b === 9 || b === 10 || b === 13);
  return printable ? new TextDecoder().decode(data) : base64(data);
}

function answer(doc) {
  const count = doc.findings.length;
  return [
    card(null, facts([["Worst", badge(count ? (doc.worst === "warn" ? "warning" : doc.worst) : "passed", count ? resultLevel(doc.worst) : "ok")], ["Judged as", doc.kind], ["Found", count ? h("span", { class: "badges" }, tally(doc.findings)) : "nothing"], ["Rules", h("code", null, doc.rule_set)],
      doc.dropped ? ["Not shown", plural(doc.dropped, "finding")] : null])),
    card("Findings and bytes", findingsView(doc)),
  ];
}

export async function show(ctx) {
  const result = h("div", { class: "stacked", "aria-live": "polite" });
  const text = h("textarea", { rows: "6", spellcheck: "false", autocomplete: "off", class: "mono", placeholder: "-----BEGIN CERTIFICATE-----" });
  const file = h("input", { type: "file", class: "spoken", tabindex: "-1", "aria-hidden": "true", onchange: () => take(file.files[0]) });
  const kind = select("kind", KINDS, ctx.params.get("kind") ?? "");
  const at = h("input", { type: "date", name: "at" });
  const profile = select("profile", PROFILES.map((p) => [p, p || "what it says"]), "");
  let turn = 0;
  let over = null;

  async function judge() {
    const mine = ++turn;
    over?.abort();
    over = new AbortController();
    const object = text.value.trim();
    if (!object) return void redraw(result, start());
    if (object.length > LARGEST * 1.4) return void redraw(result, failure(new Error(`This has ${number(object.length)} characters; the family takes up to ${number(LARGEST)} bytes at once. lintel lint reads larger files.`)));
    const question = { object, ...(kind.value ? { kind: kind.value } : {}), ...(profile.value ? { profile: profile.value } : {}), ...(at.value ? { at: at.value } : {}) };
    result.setAttribute("aria-busy", "true");
    try {
      const doc = await ask("lint", JSON.stringify(question), { type: "application/json", params: { der: true }, signal: over.signal });
      if (mine !== turn) return;
      redraw(result, answer(doc));
      announce(doc.findings.length ? `${plural(doc.findings.length, "finding")}` : "Nothing was found");
    } catch (e) {
      if (mine === turn && e.name !== "AbortError") redraw(result, failure(e));
    } finally {
      if (mine === turn) result.removeAttribute("aria-busy");
    }
  }

  async function take(one) {
    if (!one) return;
    if (one.size > LARGEST) return void redraw(result, failure(new Error(`${one.name} has ${number(one.size)} bytes; the family takes up to ${number(LARGEST)} at once. lintel lint reads larger files.`)));
    text.value = await textOf(one);
    judge();
  }

  async function example() {
    const { certificates } = await get("certificates", { limit: 1 }, { signal: ctx.signal });
    if (!certificates.length) return void redraw(result, empty("The book has no certificates yet.", "Drop one of your own."));
    const doc = await get("certificates/" + certificates[0].serial, { issuer: certificates[0].issuer, der: true }, { signal: ctx.signal });
    text.value = doc.pem ?? "";
    judge();
  }

  const start = () => empty("Nothing is judged yet.", "Drop a file anywhere on this page, choose one, or paste PEM or base64. A certificate, CRL, OCSP answer or request; nothing of it is kept.", button("Show me one of ours", { onclick: () => example().catch((e) => redraw(result, failure(e))) }));

  const el = h("div", { class: "page-stack" },
    head("Lint explorer", { text: "What our rules, and those of zlint, find in a certificate, and in which of its bytes." }),
    h("div", { class: "drop" },
      card(null, [
        field("Certificate, CRL, OCSP answer or request", text, { hint: "PEM, DER or base64" }),
        h("div", { class: "row lint-options" }, button("Choose a file", { onclick: () => file.click() }), file, button("Judge", { kind: "primary", onclick: judge }),
          field("As", kind), field("By the rules of", profile), field("On the day", at)),
      ])),
    result);
  for (const control of [kind, profile, at]) control.addEventListener("change", () => { if (text.value.trim()) judge(); });
  text.addEventListener("input", () => { if (text.value.includes("-----END")) judge(); });
  el.addEventListener("dragover", (e) => { e.preventDefault(); el.classList.add("dropping"); });
  el.addEventListener("dragleave", (e) => { if (!el.contains(e.relatedTarget)) el.classList.remove("dropping"); });
  el.addEventListener("drop", (e) => { e.preventDefault(); el.classList.remove("dropping"); take(e.dataTransfer.files[0]); });
  ctx.signal.addEventListener("abort", () => over?.abort(), { once: true });
  redraw(result, start());
  const asked = ctx.params.get("serial");
  if (asked) {
    const doc = await get("certificates/" + asked, { issuer: ctx.params.get("issuer"), der: true }, { signal: ctx.signal });
    text.value = doc.pem ?? "";
    judge();
  }
  return el;
}
