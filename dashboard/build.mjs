/**
 * Bundles the dashboard into the collector's package: hashed names, compressed beforehand,
 * a manifest the collector serves by, and a gate on the sizes of docs and design.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, "../src/alicia/collector/static");
const KB = 1024;
/** Bytes after gzip. */
const BUDGET = { firstRoute: 60 * KB, route: 20 * KB, script: 140 * KB, style: 12 * KB };
const TYPES = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const OPTIONS = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  target: "es2022",
  outdir: OUT,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  metafile: true,
  write: false,
  legalComments: "none",
};

/** The page proper, and the small script that has to run before the first paint. */
const results = await Promise.all([
  build({
    ...OPTIONS,
    entryPoints: ["src/main.tsx", "src/style/index.css", "src/icon.svg"],
    format: "esm",
    splitting: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".svg": "copy" },
  }),
  build({ ...OPTIONS, entryPoints: ["src/app/theme-boot.ts"], format: "iife" }),
]);

const files = new Map();
for (const { outputFiles, metafile } of results) {
  for (const file of outputFiles) {
    const name = path.basename(file.path);
    const gzip = gzipSync(file.contents, { level: constants.Z_BEST_COMPRESSION });
    const entry = Object.entries(metafile.outputs).find(([key]) => path.basename(key) === name)?.[1];
    files.set(name, { bytes: file.contents, gzip, entry });
  }
}

const nameOf = (source) =>
  [...files].find(([, f]) => f.entry?.entryPoint === source || source in (f.entry?.inputs ?? {}))?.[0];
const main = nameOf("src/main.tsx");

/** A chunk and all it imports statically. */
function closure(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const link of files.get(name).entry.imports) {
    if (link.kind === "import-statement") closure(path.basename(link.path), seen);
  }
  return seen;
}

const screens = [...files.keys()].filter((name) =>
  /^src\/screens\/[a-z]+\.tsx$/.test(files.get(name).entry?.entryPoint ?? ""),
);
const first = nameOf("src/screens/wall.tsx");
const firstRoute = new Set([...closure(main), ...closure(first)]);
const weigh = (names) => [...names].reduce((sum, name) => sum + files.get(name).gzip.length, 0);
const ofType = (suffix) => [...files.keys()].filter((name) => name.endsWith(suffix));

const weights = [
  ["script of the first route", weigh(firstRoute), BUDGET.firstRoute],
  ["all script", weigh(ofType(".js")), BUDGET.script],
  ["style", weigh(ofType(".css")), BUDGET.style],
  ...screens
    .filter((name) => name !== first)
    .map((name) => [name, weigh([...closure(name)].filter((n) => !firstRoute.has(n))), BUDGET.route]),
];
let tooBig = false;
for (const [what, size, most] of weights) {
  const verdict = size > most ? "TOO BIG" : "ok";
  tooBig ||= size > most;
  console.log(`${verdict}  ${what}: ${(size / KB).toFixed(1)} of ${most / KB} kB gzipped`);
}
if (tooBig) process.exit(1);

const assets = [
  `<link rel="icon" href="/assets/${nameOf("src/icon.svg")}" type="image/svg+xml">`,
  `<script src="/assets/${nameOf("src/app/theme-boot.ts")}"></script>`,
  `<link rel="stylesheet" href="/assets/${nameOf("src/style/index.css")}">`,
  ...[...firstRoute]
    .filter((name) => name !== main)
    .map((name) => `<link rel="modulepreload" href="/assets/${name}">`),
  `<script type="module" src="/assets/${main}"></script>`,
].join("\n    ");
const template = await readFile(path.join(HERE, "index.html"), "utf8");

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
const manifest = { assets: {} };
for (const [name, { bytes, gzip }] of files) {
  await writeFile(path.join(OUT, name), bytes);
  await writeFile(path.join(OUT, `${name}.gz`), gzip);
  manifest.assets[name] = { type: TYPES[path.extname(name)], bytes: bytes.length, gzip: gzip.length };
}
await writeFile(path.join(OUT, "index.html"), template.replace("<!--assets-->", assets));
// Last, because the collector takes a manifest as the sign of a whole build.
await writeFile(path.join(OUT, "manifest.json"), `${JSON.stringify(manifest, null, 1)}\n`);
