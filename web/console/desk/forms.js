// Changes as tables of fields: what a request takes, asked for in a dialog, sent signed.
import { change } from "../api.js";
import { field, form, h, select, toast } from "../ui.js";

const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?\s*(?:Z|UTC)?$/i;

/** What people write as a time ("2026-11-22 16:31", UTC) as RFC 3339. */
export function asTime(text) {
  const found = TIME.exec(text.trim());
  if (!found) throw new Error(`“${text}” is no time. Write 2026-11-22 16:31 (UTC).`);
  return `${found[1]}T${found[2]}${found[3] ?? ":00"}Z`;
}

const hintOf = (f) => f.hint ?? (f.type === "time" ? "UTC, as 2026-11-22 16:31" : null);

function control(f) {
  const common = { name: f.name, required: f.needed, value: f.value ?? "", autocomplete: "off" };
  if (f.type === "select") return select(f.name, f.needed ? f.choices : [["", f.any ?? "–"], ...f.choices], f.value ?? "", { required: f.needed });
  if (f.type === "area") return h("textarea", { ...common, rows: f.rows ?? 4, spellcheck: "true", class: f.mono ? "mono" : null });
  if (f.type === "check") return h("input", { type: "checkbox", name: f.name, value: "1", checked: f.value === true });
  return h("input", { ...common, type: f.type === "number" ? "number" : "text", min: f.type === "number" ? "0" : null, maxlength: f.max ?? null, class: f.mono ? "mono" : null });
}

/** Controls for fields: [{name, label, type: text|area|select|time|number|check|lines, choices, needed, hint, value}]. */
export function inputs(fields) {
  return fields.map((f) => field(f.needed ? f.label : `${f.label} (optional)`, control(f.type === "lines" ? { ...f, type: "area" } : f), { hint: hintOf(f), class: f.type === "check" ? "inline" : null }));
}

const READ = {
  number: (text) => Number(text),
  time: asTime,
  lines: (text) => text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean),
};

/** What was filled in, as the request takes it: empty fields are left out. */
export function payload(fields, data) {
  const out = {};
  for (const f of fields) {
    const text = String(data.get(f.name) ?? "").trim();
    if (f.type === "check") { if (text) out[f.name] = true; else if (f.always) out[f.name] = false; } else if (text !== "") out[f.name] = (READ[f.type] ?? String)(text);
  }
  return out;
}

/**
 * Asks for the fields and sends them. options: title, text, fields, path (or (payload) => path), yes, kind, done ("Noted."), fixed (members
 * that are always sent). Resolves to the answer, or null when it was left.
 */
export function act(options) {
  return form({
    title: options.title, text: options.text, yes: options.yes ?? "Save", kind: options.kind, fields: inputs(options.fields ?? []),
    async run(data) {
      const sent = { ...payload(options.fields ?? [], data), ...options.fixed };
      const answer = await change(typeof options.path === "function" ? options.path(sent) : options.path, sent);
      toast(typeof options.done === "function" ? options.done(answer) : options.done ?? "Done.");
      return answer;
    },
  });
}
