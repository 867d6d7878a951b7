// An expression from the inventory, handed to an incident as its scope.
import { get } from "../api.js";
import { field, form, h, select } from "../ui.js";
import { openIncident } from "./incidents.js";

const NEW = "new";

/** Asks whether a new incident is opened or one that is open takes it; the scope's own dialog counts and saves it there. */
export async function intoIncident(ctx, scope) {
  const doc = await get("incidents", { status: "open", limit: 100 }, { signal: ctx.signal });
  const open = [...new Map([...(doc.mine ?? []), ...doc.incidents].map((i) => [String(i.id), i])).values()].filter((i) => i.status !== "closed");
  if (!open.length) return openIncident(ctx, { scope });
  const chosen = await form({
    title: "Use as an incident's scope", yes: "Go on", kind: "primary",
    fields: [h("p", { class: "scope-text mono" }, scope), field("Incident", select("incident", [[NEW, "Open a new one"], ...open.map((i) => [String(i.id), `Incident ${i.id}: ${i.title}`])], NEW), { hint: "Nothing is saved yet: next it is counted, and you are asked." })],
    run: async (data) => data.get("incident"),
  });
  if (chosen === NEW) return openIncident(ctx, { scope });
  if (chosen) ctx.navigate(`/console/incidents/${chosen}?${new URLSearchParams({ view: "scope", scope })}`);
}
