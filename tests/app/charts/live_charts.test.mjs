// Charts are drawn once and updated in place; another picture is drawn anew; none outlives its page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chart, openPage } from "./page.mjs";
import { load } from "./scripts.mjs";

async function opened(options) {
  const page = openPage(options);
  const { default: component } = await load();
  const send = async (charts, pick) => {
    const end = component(page.props(charts, pick));
    if (!globalThis.Plotly) await page.library();
    await page.frames();
    return end;
  };
  return { ...page, component, send };
}

const keys = (grid) => grid.children.map((cell) => cell.dataset.chart);

test("a chart is drawn once, then updated in place", async () => {
  const { plotly, send, grid } = await opened();
  await send([chart("losses")]);
  const [cell] = grid.children;
  await send([chart("losses")]);
  assert.deepEqual(plotly.names, ["newPlot"]); // nothing has changed
  await send([chart("losses", { y: [1, 2, 3] })]);
  assert.deepEqual(plotly.names, ["newPlot", "react"]);
  assert.deepEqual(plotly.calls[1].figure.data, [{ y: [1, 2, 3] }]);
  assert.equal(plotly.calls[1].plot, plotly.calls[0].plot);
  assert.equal(grid.children[0], cell);
});

test("an update has the same buttons: others would make react begin anew", async () => {
  const { plotly, send } = await opened();
  await send([chart("losses")]);
  await send([chart("losses", { y: [3] })]);
  const [first, second] = plotly.calls.map(({ figure }) => figure.config.modeBarButtonsToAdd);
  assert.equal(first, second);
  assert.deepEqual(first.map(({ title }) => title), ["Save as PNG", "Fullscreen"]);
});

test("another picture under the same key is drawn anew in the same place", async () => {
  const { plotly, send, grid } = await opened();
  await send([chart("map", { revision: "image" })]);
  const [cell] = grid.children;
  await send([chart("map", { revision: "text" })]);
  assert.deepEqual(plotly.names, ["newPlot", "newPlot"]);
  assert.equal(grid.children[0], cell);
});

test("charts come, go and change places by their keys", async () => {
  const { plotly, send, grid } = await opened();
  await send([chart("a"), chart("b"), chart("c")]);
  const b = grid.children[1];
  await send([chart("c"), chart("b"), chart("d")]);
  assert.deepEqual(keys(grid), ["c", "b", "d"]);
  assert.equal(grid.children[1], b);
  assert.deepEqual(plotly.names, ["newPlot", "newPlot", "newPlot", "purge", "newPlot"]);
  assert.equal(plotly.calls[3].plot, plotly.calls[0].plot); // that of a
});

test("texts that traces share are put back into each of them", async () => {
  const { plotly, send } = await opened();
  const data = [0, 1].map((k) => ({ y: [k], text: { shared: 0 }, customdata: { shared: 1 } }));
  const figure = { data, layout: { uirevision: "" }, shared: [["a", "b"], [4, 5]] };
  await send([chart("map", { figure: JSON.stringify(figure) })]);
  const drawn = plotly.calls[0].figure.data;
  assert.deepEqual(drawn.map(({ text }) => text), [["a", "b"], ["a", "b"]]);
  assert.deepEqual(drawn.map(({ customdata }) => customdata), [[4, 5], [4, 5]]);
});

test("a caption is text, and the chart has a name for who cannot see it", async () => {
  const { send, grid } = await opened();
  await send([chart("losses", { caption: "<b>of</b> a file" })]);
  const [cell] = grid.children;
  assert.equal(cell.children[1].textContent, "<b>of</b> a file");
  assert.equal(cell.attributes["aria-label"], "alt of losses");
  assert.equal(cell.style["--span"], 3);
});

test("a chart far from the screen waits until it is near, in the room that it will take", async () => {
  const { plotly, send, grid, scrolled, frames } = await opened({ near: false });
  await send([chart("losses")]);
  assert.deepEqual(plotly.names, []);
  assert.equal(grid.children[0].children[0].style.minHeight, "300px");
  scrolled();
  await frames();
  assert.deepEqual(plotly.names, ["newPlot"]);
});

test("one chart is drawn in a frame", async () => {
  const { plotly, send, component, props, library, frames } = await opened();
  component(props([chart("a"), chart("b"), chart("c")]));
  await library();
  const counts = [];
  for (let k = 0; k < 5; k++) {
    await frames(1);
    counts.push(plotly.calls.length);
  }
  assert.equal(counts.at(-1), 3);
  counts.reduce((before, now) => { assert.ok(now - before <= 1); return now; }, 0);
});

test("while the library loads, only the newest charts are kept", async () => {
  const { plotly, component, props, library, frames, scripts } = await opened();
  component(props(null)); // the page asks for the library before it has a chart
  component(props([chart("old")]));
  component(props([chart("new")]));
  assert.equal(scripts.length, 1);
  assert.equal(scripts[0].src.href ?? scripts[0].src, "http://here/library/plotly.js");
  await library();
  await frames();
  assert.equal(plotly.calls.length, 1);
  assert.equal(plotly.calls[0].plot.parent.dataset.chart, "new");
});

test("a library that cannot be loaded is said in the place of the charts", async () => {
  const { component, props, scripts, grid, frames } = await opened();
  component(props([chart("losses")]));
  scripts[0].onerror();
  await frames();
  assert.match(grid.textContent, /library\/plotly.js cannot be loaded/);
});

test("chosen points are told by their ids, where there is something to choose", async () => {
  const { plotly, send } = await opened();
  const told = [];
  const pick = (name, nodes) => told.push([name, nodes]);
  await send([chart("map", { picks: true }), chart("losses")], pick);
  const chosen = { points: [{ customdata: 7 }, { customdata: 9 }] };
  const [map, losses] = plotly.calls.map(({ plot }) => plot.plotly);
  map.plotly_selected(chosen);
  map.plotly_selected({ points: [] });
  map.plotly_selected(undefined); // a click beside all points ends the choice
  losses.plotly_click(chosen);
  assert.deepEqual(told, [["picked", [7, 9]]]);
});

test("a chart that is drawn anew is still listened to", async () => {
  const { plotly, send } = await opened();
  const told = [];
  const pick = (_, nodes) => told.push(nodes);
  await send([chart("map", { picks: true, revision: "image" })], pick);
  await send([chart("map", { picks: true, revision: "text" })], pick);
  plotly.calls[1].plot.plotly.plotly_click({ points: [{ customdata: 3 }] });
  assert.deepEqual(told, [[3]]);
});

test("another width moves the chart, the same width does not", async () => {
  const { plotly, send, grid } = await opened();
  await send([chart("losses")]);
  const [cell] = grid.children;
  cell.resized();
  assert.deepEqual(plotly.names, ["newPlot"]);
  cell.children[0].clientWidth = 300;
  cell.resized();
  assert.deepEqual(plotly.names, ["newPlot", "relayout"]);
  assert.equal(plotly.calls[1].figure.width, 300);
});

test("the toolbar is one stop of the Tab key, and arrows go through it and around", async () => {
  const { send, grid, plotly } = await opened();
  await send([chart("losses")]);
  const [cell] = grid.children;
  const { plot } = plotly.calls[0];
  const button = () => ({ tabIndex: null, focus() { document.activeElement = this; } });
  plot.buttons = [button(), button(), button()];
  plot.plotly.plotly_afterplot();
  const stops = () => plot.buttons.map(({ tabIndex }) => tabIndex);
  assert.deepEqual(stops(), [0, -1, -1]);
  let prevented = 0;
  const press = (key) => cell.listeners.keydown(
    { key, target: document.activeElement, preventDefault: () => prevented++ });
  plot.buttons[0].focus();
  press("ArrowLeft");
  assert.equal(document.activeElement, plot.buttons[2]);
  assert.deepEqual(stops(), [-1, -1, 0]);
  press("ArrowRight");
  assert.equal(document.activeElement, plot.buttons[0]);
  press("Enter");
  assert.equal(prevented, 2);
});

test("a page that is left frees what its charts hold, and draws no more", async () => {
  const { plotly, send, component, props, frames, grid, leave } = await opened();
  await send([chart("a"), chart("b")]);
  const end = component(props([chart("a", { y: [5] }), chart("b")]));
  leave();
  end();
  await frames();
  assert.deepEqual(plotly.names, ["newPlot", "newPlot", "purge", "purge"]);
  assert.deepEqual(grid.children, []);
});

test("a call that a newer one overtakes takes no chart away: none is blank between two frames", async () => {
  const { plotly, send, component, props, frames, grid } = await opened();
  await send([chart("losses")]);
  const [cell] = grid.children;
  const overtaken = component(props([chart("losses", { y: [1] })]));
  component(props([chart("losses", { y: [1, 2, 3] })]));
  overtaken(); // Streamlit does this as soon as it has the function of a call that was overtaken
  for (let k = 0; k < 5; k++) {
    await frames(1);
    assert.equal(grid.children[0], cell);
  }
  assert.ok(plotly.names.every((name) => name !== "purge"));
  assert.deepEqual(plotly.calls.at(-1).figure.data, [{ y: [1, 2, 3] }]);
  assert.deepEqual(plotly.names.filter((name) => name === "newPlot"), ["newPlot"]);
});
