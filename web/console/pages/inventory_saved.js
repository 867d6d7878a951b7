// Expressions that were given a name: what they found when they were saved is kept with them, and what they find now is one click away.
import { ask, change, get } from "../api.js";
import { button, field, form, h, more, number, redraw, time, toast } from "../ui.js";

const NAME = "[a-z0-9][a-z0-9.-]{0,62}";

/** Runs it once as of a whole second, and keeps count and hash of its members under a name. */
export async function save(scope, after) {
  const saved = await form({
    title: "Save the expression", yes: "Count and save", text: "The list is counted now, and its hash is kept: later anybody can prove what it was. A name that is there already gets a new version.",
    fields: [
      field("Name", h("input", { name: "name", required: true, pattern: NAME, maxlength: "63", autocomplete: "off", spellcheck: "false", autocapitalize: "none" }), { hint: "Small letters, digits, - and ." }),
      field("Note", h("input", { name: "note", maxlength: "300", autocomplete: "off" })),
    ],
    run: async (data) => {
      const run = await ask("scope/run", scope);
      await change("scopes", { name: data.get("name"), scope: run.scope, note: data.get("note"), "as-of": run.as_of, count: run.count, "members-sha256": run.members_sha256 });
      return { name: data.get("name"), count: run.count };
    },
  });
  if (!saved) return;
  toast(`${saved.name}: ${number(saved.count)} certificates.`);
  after();
}

function row(s, take) {
  return h("li", null, button(s.name, { class: "plain", title: s.scope, onclick: () => take(s.scope) }), " ",
    h("span", { class: "quiet small" }, `version ${number(s.version)}, ${number(s.count)} certificates at `, time(s.as_of, { seconds: false }), ` by ${s.saved_by}`, s.note ? `: ${s.note}` : null));
}

/** Those that are saved; take(text) puts one into the box. The element has reload(). */
export function savedList(ctx, take) {
  const el = h("div");
  el.reload = async () => {
    try {
      const { scopes, next } = await get("scopes", { limit: 50 }, { signal: ctx.signal });
      redraw(el, scopes.length ? more(`Saved expressions (${number(scopes.length)}${next ? " and more" : ""})`, h("ul", { class: "plain-list" }, scopes.map((s) => row(s, take)))) : null);
    } catch (e) {
      if (e.name !== "AbortError") el.replaceChildren();
    }
  };
  el.reload();
  return el;
}
