// The chart component's scripts as one module, as the browser gets them, with their inner parts exported.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const SCRIPTS = new URL("../../../app/charts/", import.meta.url);
const NAMES = ["squares.js", "picture.js", "live_charts.js"];
const INNER = ["arranged", "applied", "panelsInARow", "broken", "savePicture"];

const folder = mkdtempSync(join(tmpdir(), "charts-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const file = join(folder, "charts.mjs");
const source = NAMES.map((name) => readFileSync(new URL(name, SCRIPTS), "utf-8")).join("\n");
writeFileSync(file, `${source}\nexport { ${INNER.join(", ")} };`);

// Every call gives a module of its own, as a tab has: the scripts keep one library and one queue of charts.
let loaded = 0;
export const load = () => import(`${pathToFileURL(file)}?${++loaded}`);
