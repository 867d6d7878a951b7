// Builds web/dist from web/console: one entry, one chunk for each page, all under names with their hashes, so that a browser keeps them for good.
// The same sources and the same lock file give the same bytes: tests/e2e/test_console_shell.py builds again and compares.
//   node build.mjs [OUTDIR]     default: dist
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.argv[2] ?? "dist");
const assets = join(out, "assets");
rmSync(out, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const common = {
  bundle: true, minify: true, charset: "utf8", legalComments: "none", metafile: true, logLevel: "warning",
  target: ["chrome123", "firefox128", "safari17.5"], entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]", assetNames: "[name]-[hash]",
};
const code = await build({ ...common, entryPoints: { app: "console/app.js" }, outdir: assets, format: "esm", splitting: true });
const style = await build({ ...common, entryPoints: { style: "console/style.css" }, outdir: assets });
const theme = await build({ ...common, entryPoints: { theme: "console/theme.js" }, outdir: assets, format: "iife" });

const nameOf = (result, source) => {
  const [file] = Object.entries(result.metafile.outputs).find(([, o]) => o.entryPoint === source);
  return file.split("/").pop();
};
/** What the entry needs before it can run, and the overview's page: asked for with the page itself, not one after the other. */
function early(result) {
  const outputs = result.metafile.outputs;
  const seen = new Set();
  const follow = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    outputs[file].imports.filter((i) => i.kind === "import-statement").forEach((i) => follow(i.path));
  };
  for (const [file, o] of Object.entries(outputs)) {
    if (["console/app.js", "console/pages/overview.js"].includes(o.entryPoint)) follow(file);
  }
  return [...seen].map((f) => f.split("/").pop()).sort();
}

const app = nameOf(code, "console/app.js");
const at = (name) => `/console/assets/${name}`;
const page = readFileSync("console/index.html", "utf8")
  .replace(at("theme.js"), at(nameOf(theme, "console/theme.js")))
  .replace(at("style.css"), at(nameOf(style, "console/style.css")))
  .replace(`<script type="module" src="${at("app.js")}"></script>`,
    [...early(code).filter((n) => n !== app).map((n) => `<link rel="modulepreload" href="${at(n)}">`), `<script type="module" src="${at(app)}"></script>`].join("\n"));
writeFileSync(join(out, "index.html"), page);

// Whose code is in the chunks beside ours: its licence wants to go with it.
const others = [...new Set(Object.keys(code.metafile.inputs).map((f) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(f)?.[1]).filter(Boolean))].sort();
writeFileSync(join(assets, "LICENSES.txt"), others.map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`;
}).join("\n\n"));

const hash = (file) => createHash("sha256").update(readFileSync(join(out, file))).digest("hex");
const files = ["index.html", ...readdirSync(assets).map((f) => "assets/" + f)].sort();
writeFileSync(join(out, "SHA256SUMS"), files.map((f) => `${hash(f)}  ${f}\n`).join(""));
