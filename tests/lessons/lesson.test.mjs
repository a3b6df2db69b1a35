// The parts of a lesson that need no browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../rednd_core/", import.meta.url);
const STAGE = ["decode.js", "map.js"];
const NAMES = ["make.js", "text.js", "charts.js", "by_hand.js", "pictures.js", "lesson.js", "file.js"];
const read = (folder) => (name) => readFileSync(new URL(`${folder}/browser/${name}`, ROOT), "utf8");
const source = [...STAGE.map(read("stage")), ...NAMES.map(read("lessons"))].join("\n");
const wanted = "{ parts, plain, markStep, largest, pieces, told, rounded, termsOf }";
const { parts, plain, markStep, largest, pieces, told, rounded, termsOf } =
  new Function(`${source}\nreturn ${wanted};`)();

test("terms are told from other words", () => {
  assert.deepEqual(parts("a [[MAD]] and [[other words|Term]]."),
    [["a "], ["MAD", "mad"], [" and "], ["other words", "term"], ["."]]);
  assert.deepEqual(parts("none"), [["none"]]);
  assert.equal(plain("[[Recall@20|recall@k]] by depth"), "Recall@20 by depth");
});

test("an axis has at most six marks beside 0", () => {
  assert.deepEqual([1, 8, 16, 58, 76, 5000].map(markStep), [1, 1, 4, 20, 20, 1000]);
});

test("gaps divide a line and do not count", () => {
  assert.deepEqual(pieces([null, 1, 2, null, 3]), [[[1, 1], [2, 2]], [[4, 3]]]);
  assert.equal(largest([{ values: [null, 0.2] }, { values: [0.7, null] }]), 0.7);
});

test("a legend says the ends of a line, or the value that is pointed at", () => {
  const line = { label: "users", values: [1, 0.5, 0.0002, null] };
  assert.equal(told(line), "users: 1.00 → 0.000200");
  assert.equal(told(line, 1), "users: 0.500");
  assert.equal(told(line, 3), "users: –");
  assert.equal(told({ label: "one", values: [null, 2] }), "one: 2.00");
});

test("a number that rounds to 0 has no sign", () => {
  assert.deepEqual([-0.001, -0.5, 0.7071].map(rounded), ["0.00", "-0.50", "0.71"]);
});

test("the terms of a node are its neighbours, and the sum is theirs", () => {
  const picture = { weights: [[0, 0.5, 0.25], [0.5, 0, 0], [0.25, 0, 0]], layers: [[[8, 8], [2, 4], [4, 0]]] };
  const { terms, sum } = termsOf(picture, 0, 0);
  assert.deepEqual(terms.map(({ from }) => from), [1, 2]);
  assert.deepEqual(sum, [2, 2]);
});
