// A saved picture: dark on white, its words above it, under its own file name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const { broken, savePicture } = await load();
const tenPixelsALetter = { measureText: (text) => ({ width: 10 * text.length }) };

test("words are broken into lines that fit; a word that is wider stands alone", () => {
  const lines = broken(tenPixelsALetter, "one two  three unbreakable a", "font", 80);
  assert.deepEqual(lines.map(({ text }) => text), ["one two", "three", "unbreakable", "a"]);
  assert.deepEqual(broken(tenPixelsALetter, "", "font", 80), []);
});

test("a picture is dark on white in a common font, and says what it shows", async () => {
  const told = { texts: [], images: [], links: [] };
  const pen = {
    ...tenPixelsALetter,
    scale: (x, y) => assert.deepEqual([x, y], [2, 2]),
    fillRect: (...box) => { told.paper = { box, color: pen.fillStyle }; },
    fillText: (text, x, y) => told.texts.push({ text, y, font: pen.font, color: pen.fillStyle }),
    drawImage: (_, ...box) => told.images.push(box),
  };
  const canvas = { getContext: () => pen, toBlob: (done) => done("blob") };
  const link = { click: () => told.links.push(link.download) };
  globalThis.document = { createElement: (tag) => ({ canvas, a: link })[tag] };
  globalThis.Image = class { async decode() {} };
  Object.assign(URL, { createObjectURL: (blob) => `url of ${blob}`, revokeObjectURL: () => {} });
  const timer = globalThis.setTimeout;
  globalThis.setTimeout = (task) => task();
  const font = { family: "Own, Common, serif", color: "#777777" };
  const plot = {
    data: [{ y: [1] }],
    layout: { template: { layout: { font } }, title: { font: { color: "#777777" } } },
    _fullLayout: { width: 300, height: 200 },
  };
  let asked;
  const Plotly = { toImage: async (figure, options) => { asked = { figure, options }; return "data:"; } };
  const config = { toImageButtonOptions: { filename: "maps", scale: 2 } };
  const words = { about: "Run a", alt: "Map of two layers with a long line", print: "#111111", config };
  await savePicture(Plotly, plot, words);
  globalThis.setTimeout = timer;

  const { layout } = asked.figure;
  assert.equal(layout.title.font.color, "#111111");
  assert.deepEqual(layout.template.layout.font, { family: "Common, serif", color: "#111111" });
  assert.deepEqual([layout.paper_bgcolor, layout.plot_bgcolor], ["#FFFFFF", "#FFFFFF"]);
  assert.equal(plot.layout.title.font.color, "#777777"); // the page keeps its own ink
  assert.deepEqual(asked.options, { format: "png", width: 300, height: 200, scale: 2 });
  // 276 pixels a line hold 27 letters: the run's line in bold, then two of the chart.
  assert.deepEqual(told.texts.map(({ text }) => text), ["Run a", "Map of two layers with a", "long line"]);
  assert.deepEqual(told.texts.map(({ y }) => y), [26, 48, 70]);
  assert.deepEqual(told.texts.map(({ font }) => font.startsWith("bold")), [true, false, false]);
  assert.ok(told.texts.every(({ color }) => color === "#111111"));
  assert.deepEqual(told.paper, { box: [0, 0, 300, 200 + 78], color: "#FFFFFF" });
  assert.deepEqual(told.images, [[0, 78, 300, 200]]);
  assert.deepEqual([canvas.width, canvas.height], [600, 2 * 278]);
  assert.deepEqual(told.links, ["maps.png"]);
});
