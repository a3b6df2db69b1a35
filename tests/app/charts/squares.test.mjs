// Square panels: where they stand in a figure of a given width, and of a given height.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const { arranged, applied, panelsInARow } = await load();

// Four panels, two in a row, of 100 pixels at most and 50 at least, 20 pixels of title, 10 pixels apart.
const squares = { n: 4, columns: 2, side: 100, least: 50, above: 20, gap: 10 };
const margin = { l: 5, r: 5, t: 30, b: 8 };
const layout = { meta: { squares }, margin, height: 268 };
const close = (found, wanted) => found.forEach((number, k) => assert.ok(Math.abs(number - wanted[k]) < 1e-9));

test("panels have their full side in a wide figure, in the middle of it", () => {
  const found = arranged(layout, 410); // 400 inside the margins: 95 + 100 + 10 + 100 + 95
  assert.equal(found.width, 410);
  assert.equal(found.height, 100 + 30 + 100 + 38);
  close(found["xaxis.domain"], [95 / 400, 195 / 400]);
  close(found["xaxis2.domain"], [205 / 400, 305 / 400]);
  close(found["xaxis3.domain"], found["xaxis.domain"]);
  close(found["yaxis.domain"], [130 / 230, 1]);
  close(found["yaxis4.domain"], [0, 100 / 230]);
});

test("panels shrink with the figure and stay square", () => {
  const found = arranged(layout, 140); // 130 inside: 60 + 10 + 60
  const [left, right] = found["xaxis.domain"];
  const [low, high] = found["yaxis.domain"];
  const inner = found.height - 38;
  assert.equal(found.height, 60 + 30 + 60 + 38);
  close([(right - left) * 130, (high - low) * inner], [60, 60]);
});

test("a row has fewer panels where they would be narrower than the least side", () => {
  const found = arranged(layout, 110); // 100 inside: two would be 45 wide, one is 100
  assert.equal(found.height, 4 * 100 + 3 * 30 + 38);
  close(found["xaxis.domain"], [0, 1]);
  close(found["xaxis4.domain"], [0, 1]);
});

test("in a given height the row has as many panels as make them largest", () => {
  const across = (c) => (1000 - 10 * (c - 1)) / c;
  const down = (c) => (300 + 30) / Math.ceil(4 / c) - 30;
  assert.equal(panelsInARow(squares, across, down, 300), 4); // 242 each; two in a row would be 135
  const found = arranged(layout, 1010, 338);
  close([found.height], [242.5 + 38]);
});

test("what lies below the panels stays as many pixels away", () => {
  const low = { ...layout, legend: { y: -0.1 }, coloraxis: { colorbar: { y: -0.2 } } };
  const found = arranged(low, 110); // 23 and 46 pixels below panels that were 230 high and are 490 now
  close([found["legend.y"], found["coloraxis.colorbar.y"]], [-23 / 490, -46 / 490]);
  assert.equal(arranged({ ...layout, legend: { y: 1.1 } }, 110)["legend.y"], undefined);
});

test("changes are applied to a copy, also where a part is not there yet", () => {
  const before = { xaxis: { domain: [0, 1], range: [2, 3] } };
  const after = applied(before, { "xaxis.domain": [0, 0.5], "yaxis2.domain": [0, 1], height: 9 });
  assert.deepEqual(after, {
    xaxis: { domain: [0, 0.5], range: [2, 3] }, yaxis2: { domain: [0, 1] }, height: 9,
  });
  assert.deepEqual(before, { xaxis: { domain: [0, 1], range: [2, 3] } });
});
