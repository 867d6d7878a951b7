// Bars: shares of a whole, progress of work, tiers of a mass revocation.
import { h } from "./dom.js";
import { duration, number, percent } from "./text.js";

/** Shares of a whole: stack([{name, value, tone: "a".."e" or a level}], {label}). With a legend that has the numbers. */
export function stack(parts, options = {}) {
  const total = parts.reduce((sum, p) => sum + p.value, 0);
  return h("figure", { class: "stack" },
    h("div", { class: "bar", role: "img", "aria-label": options.label ?? parts.map((p) => `${p.name} ${number(p.value)}`).join(", ") },
      parts.filter((p) => p.value > 0).map((p) => h("span", { "data-tone": p.tone, style: { "flex-grow": String(Math.max(p.value, total / 250)) }, title: `${p.name}: ${number(p.value)} (${percent(p.value, total)})` }))),
    h("figcaption", { class: "legend" }, parts.map((p) => h("span", null, h("i", { "data-tone": p.tone, "aria-hidden": "true" }), p.href ? h("a", { href: p.href }, p.name) : p.name, " ", h("b", null, number(p.value))))));
}

/** How far work is: progress({done, total, rate (a second), eta_s, state, label}). */
export function progress(p) {
  const over = p.total > 0 && p.done >= p.total;
  const rest = over ? "all done" : [p.rate ? `${number(Math.round(p.rate))} a second` : null, p.eta_s ? `${duration(p.eta_s)} left` : null].filter(Boolean).join(", ");
  return h("div", { class: "progress", "data-state": p.state ?? null },
    h("div", { class: "bar", role: "progressbar", "aria-label": p.label ?? "Progress", "aria-valuemin": "0", "aria-valuemax": String(p.total ?? 0), "aria-valuenow": String(p.done ?? 0) },
      h("span", { "data-tone": over ? "done" : "run", style: { width: `${p.total ? Math.min(100, (100 * p.done) / p.total) : 0}%` } })),
    h("div", { class: "progress-text" }, h("span", null, h("b", null, number(p.done)), ` of ${number(p.total)} (${percent(p.done, p.total)})`), rest ? h("span", { class: "quiet" }, rest) : null));
}

/** The tiers of a mass revocation as one bar, each as wide as it is large (none thinner than can be seen) and filled as far as it is done. tiers: [{tier, total, done, name}]. */
export function tiers(list, options = {}) {
  const total = list.reduce((sum, t) => sum + t.total, 0);
  const named = (t) => t.name ?? `Tier ${t.tier}`;
  return h("div", { class: "tiers", role: "group", "aria-label": options.label ?? "Tiers" },
    list.map((t) => h("div", { class: "tier", style: { "flex-grow": String(Math.max(t.total, total / 12, 1)) }, "data-done": t.total > 0 && t.done >= t.total ? "" : null },
      h("div", { class: "bar", role: "progressbar", "aria-label": named(t), "aria-valuemin": "0", "aria-valuemax": String(t.total), "aria-valuenow": String(t.done) },
        h("span", { "data-tone": t.total > 0 && t.done >= t.total ? "done" : "run", style: { width: `${t.total ? Math.min(100, (100 * t.done) / t.total) : 0}%` } })),
      h("div", { class: "tier-text" }, h("span", null, named(t)), " ", h("b", null, number(t.done)), h("span", { class: "quiet" }, ` / ${number(t.total)}`)))));
}
