/** Runs the unit tests: bundled, because Node 20 reads no TypeScript, then `node --test`. */
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, "../node_modules/.cache/test");

const tests = (await readdir(HERE)).filter((name) => /\.test\.tsx?$/.test(name));
await rm(OUT, { recursive: true, force: true });
await build({
  absWorkingDir: HERE,
  entryPoints: tests,
  outdir: OUT,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  sourcemap: "inline",
  define: { SOURCE_ROOT: JSON.stringify(path.join(HERE, "../src")) },
});
const files = tests.map((name) => path.join(OUT, name.replace(/\.tsx?$/, ".mjs")));
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", ...files],
  { stdio: "inherit", env: { ...process.env, TZ: "Europe/Berlin" } },
);
process.exit(status ?? 1);
