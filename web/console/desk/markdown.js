// The Markdown of incident reports as elements: headings, lists, tables, bold, code, links; nothing else is in the templates. Text stays text.
import { h } from "../ui.js";

const INLINE = /(\*\*[^*]+\*\*|`[^`]+`|\[[^\]]+\]\(https?:[^)\s]+\)|https?:\/\/[^\s)|]+)/;

function inline(text) {
  return text.split(INLINE).map((part) => {
    if (part.startsWith("**[") && part.endsWith("]**")) return h("mark", { class: "missing" }, part.slice(3, -3));
    if (part.startsWith("**") && part.length > 4) return h("strong", null, part.slice(2, -2));
    if (part.startsWith("`") && part.length > 2) return h("code", null, part.slice(1, -1));
    const link = /^\[([^\]]+)\]\((https?:[^)\s]+)\)$/.exec(part);
    if (link) return h("a", { href: link[2], rel: "noreferrer" }, link[1]);
    return /^https?:\/\//.test(part) ? h("a", { href: part, rel: "noreferrer" }, part) : part;
  });
}

/** Dates and times stand on one line. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?(?: ?(?:UTC|Z))?)?$/;

const cells = (line) => line.replace(/^\s*\|/, "").replace(/\|\s*$/, "").split("|").map((c) => c.trim());

function tableOf(lines) {
  const [head, , ...rows] = lines;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Table: ${cells(head).slice(0, 2).join(", ")}` }, h("table", { class: "report-table" }, h("thead", null, h("tr", null, cells(head).map((c) => h("th", { scope: "col" }, inline(c))))), h("tbody", null, rows.map((r) => h("tr", null, cells(r).map((c) => h("td", { class: DATE.test(c) ? "nowrap" : null }, inline(c))))))));
}

const depth = (line) => Math.floor(/^ */.exec(line)[0].length / 2);

/** Lines of a list, deeper ones within the item before. */
function listOf(lines) {
  const root = h("ul", null);
  const stack = [[depth(lines[0]), root]];
  let last = null;
  for (const line of lines) {
    if (!/^\s*- /.test(line)) { last?.append(h("br"), ...[inline(line.trim())].flat().map((n) => (n instanceof Node ? n : document.createTextNode(n)))); continue; }
    const at = depth(line);
    while (stack.length > 1 && at < stack[stack.length - 1][0]) stack.pop();
    if (at > stack[stack.length - 1][0] && last) { const inner = h("ul", null); last.append(inner); stack.push([at, inner]); }
    last = h("li", null, inline(line.replace(/^\s*- /, "")));
    stack[stack.length - 1][1].append(last);
  }
  return root;
}

/** A report's text as one <article>. */
export function markdown(text) {
  const article = h("article", { class: "report" });
  const lines = text.split("\n");
  for (let i = 0; i < lines.length;) {
    const line = lines[i];
    const heading = /^(#{2,4}) (.*)$/.exec(line);
    const take = (test) => { const from = i; while (i < lines.length && test(lines[i])) i++; return lines.slice(from, i); };
    if (!line.trim()) i++;
    else if (heading) { article.append(h(`h${heading[1].length}`, null, inline(heading[2]))); i++; }
    else if (/^\s*\|/.test(line)) article.append(tableOf(take((l) => /^\s*\|/.test(l))));
    else if (/^\s*- /.test(line)) article.append(listOf(take((l) => l.trim() !== "" && (/^\s*- /.test(l) || /^ {2}/.test(l)))));
    else article.append(h("p", null, take((l) => l.trim() !== "" && !/^(#{2,4} |\s*[-|])/.test(l)).map((l, k) => [k ? h("br") : null, inline(l)])));
  }
  return article;
}
