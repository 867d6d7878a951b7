// One report as it stands, to read and to print.
import { get } from "../api.js";
import { counted, downloads } from "../desk/reports.js";
import { markdown } from "../desk/markdown.js";
import { REPORTS } from "../desk/words.js";
import { button, h, head, notice, plural, time } from "../ui.js";

/** A drawing as a picture: it cannot run anything there. */
const picture = (d) => h("figure", { class: "drawing" }, h("img", { src: "data:image/svg+xml," + encodeURIComponent(d.text), alt: d.name === "fishbone.svg" ? "Fishbone of root causes" : "How many certificates were left at each hour" }), h("figcaption", { class: "quiet small" }, d.name));

export async function show(ctx) {
  const [, id, kind] = ctx.match;
  const [{ incident }, draft] = await Promise.all([get(`incidents/${id}`, null, { signal: ctx.signal }), get(`incidents/${id}/report/${kind}`, null, { signal: ctx.signal })]);
  const name = REPORTS.find(([k]) => k === kind)[1];
  return h("div", { class: "report-page" },
    head(`${name} report`, { trail: [["Incidents", "/console/incidents"], [`Incident ${id}`, `/console/incidents/${id}?view=reports`]], text: incident.title, actions: [button("Print", { onclick: () => window.print() }), ...downloads(incident, draft)] }),
    draft.missing ? notice("warning", `${plural(draft.missing, "section")} still to be written: they are marked in the text.`) : null,
    counted(incident, draft),
    h("p", { class: "quiet small" }, "As of ", time(draft.now), "."),
    markdown(draft.text), draft.drawings.map(picture));
}
