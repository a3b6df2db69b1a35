// The parts of the stage that need no browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const FOLDER = new URL("../../rednd_core/stage/browser/", import.meta.url);
const NAMES = ["decode.js", "words.js", "map.js", "lines.js", "lists.js", "differences.js", "stage.js"];
const source = NAMES.map((name) => readFileSync(new URL(name, FOLDER), "utf8")).join("\n");
const wanted = "{ decoded, written, placed, between, ceiling, sidesOf, flipped, StageList }";
const { decoded, written, placed, between, ceiling, sidesOf, flipped, StageList } =
  new Function(`${source}\nreturn ${wanted};`)();

const packed = (values, shape, dtype = "int16") =>
  ({ dtype, shape, data: Buffer.from(values.buffer).toString("base64") });

test("arrays are read with the rows of their last axis", () => {
  const found = decoded(packed(Int16Array.from({ length: 12 }, (_, k) => k - 5), [2, 3, 2]));
  assert.deepEqual([...found.at(1, 2)], [5, 6]);
  assert.deepEqual([...found.at(0)], [-5, -4, -3, -2, -1, 0]);
  assert.deepEqual([...decoded(packed(Int32Array.of(7, -1), [2], "int32")).values], [7, -1]);
});

test("a measure has three significant digits, whatever its size", () => {
  const told = [null, 0, 0.7134, 0.0567, 0.000153, 0.00000004, 23.44, 1.0003, 1234].map(written);
  assert.deepEqual(told, ["–", "0", "0.713", "0.0567", "0.000153", "4.00e-8", "23.4", "1.00", "1,230"]);
});

test("a place between two steps lies between their places, and up is up", () => {
  const coords = decoded(packed(Int16Array.of(0, 0, 32767, 32767), [2, 1, 2]));
  const near = (found, expected) => expected.forEach((value, k) => assert.ok(Math.abs(found[k] - value) < 1e-3));
  near(placed(coords, 0, 100), [50, 50]);
  near(placed(coords, 0.5, 100), [72, 28]);
  near(placed(coords, 1, 100), [94, 6]);
});

test("a line goes straight between two steps and ends with its last", () => {
  assert.equal(between([1, 0.5, 0], 0.5), 0.75);
  assert.equal(between([1, 0.5], 7.2), 0.5);
  assert.equal(between([null, 1], 0.5), null);
});

test("axes end at a round number that no value passes by more than 2 %", () => {
  assert.deepEqual([1.0008, 0.353, 59.2, 0, 0.041].map(ceiling), [1, 0.4, 80, 1, 0.05]);
});

test("users come before items", () => {
  assert.deepEqual(sidesOf({ sides: { items: [1], users: [2] } }), [["users", [2]], ["items", [1]]]);
});

test("flipped lists are those that share least", () => {
  const one = [[1, 2, 3], [4, 5, 6], [7, 8, -1]], other = [[1, 2, 3], [7, 8, 9], [7, 9, -1]];
  const found = flipped((user) => one[user], (user) => other[user], 3, 2);
  assert.deepEqual(found, { changed: 2, users: [[1, 0], [2, 1]] });
});

test("a list marks hits and new items, and says the ranks of what it missed", () => {
  const made = (tag) => ({ tag, className: "", textContent: "", children: [],
    append(...more) { this.children.push(...more); },
    replaceChildren(...more) { this.children = more; } });
  const list = new StageList({ createElement: made }, "LightGCN");
  list.show({ listed: [0, 2, -1], own: [0, 1], names: ["<b>A</b>", "B", "C", "D"], place: "depth 4", beyond: "",
    heldOut: [[2, 2], [3, 1234]] });
  assert.deepEqual(list.items.children.map((card) => card.className), ["card", "card hit"]);
  assert.equal(list.items.children[0].textContent, "<b>A</b>"); // as text
  assert.equal(list.heading.textContent, "LightGCN · list at depth 4");
  assert.equal(list.missed.textContent, "1 of 2 validation items listed. " +
    "1 of 2 are also in the list of the whole model. Not listed: D: rank 1,234.");
});
