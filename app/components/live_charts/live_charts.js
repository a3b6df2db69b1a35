// Charts that are updated in place, by the one plotly.js that a tab loads for all its visits.

function plotly(source) {
  globalThis.liveChartsPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(source, window.location.href); // pages lie beside each other
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
    document.head.append(script);
  });
  return globalThis.liveChartsPlotly;
}

function newCell(key) {
  const [cell, plot, caption] = ["figure", "div", "figcaption"].map((tag) =>
    document.createElement(tag));
  cell.dataset.chart = key;
  plot.setAttribute("role", "img");
  cell.append(plot, caption);
  return { cell, plot, caption, drawn: "" };
}

function render(Plotly, grid, cells, charts) {
  const wanted = new Set(charts.map((chart) => chart.key));
  for (const [key, { cell, plot }] of cells) {
    if (wanted.has(key)) continue;
    Plotly.purge(plot);
    cell.remove();
    cells.delete(key);
  }
  charts.forEach((chart, place) => {
    if (!cells.has(chart.key)) cells.set(chart.key, newCell(chart.key));
    const parts = cells.get(chart.key);
    parts.cell.style.setProperty("--span", chart.span);
    if (grid.children[place] !== parts.cell) grid.insertBefore(parts.cell, grid.children[place] || null);
    parts.plot.setAttribute("aria-label", chart.alt);
    parts.caption.textContent = chart.caption; // text, never markup: it may come from a file
    if (parts.drawn === chart.figure) return;
    parts.drawn = chart.figure;
    const { data, layout } = JSON.parse(chart.figure);
    Plotly.react(parts.plot, data, { ...layout, autosize: true }, chart.config);
  });
}

function whenIdle(task) {
  const wait = globalThis.requestIdleCallback ?? setTimeout; // Safari has none
  setTimeout(() => wait(task), 4000); // the page's own pictures first
}

export default function ({ parentElement, data }) {
  if (!data.charts) { whenIdle(() => plotly(data.library)); return; }
  const grid = parentElement.querySelector(".live-charts");
  grid.wanted = data.charts; // while the library loads, only the newest ones are kept
  grid.cells ??= new Map();
  plotly(data.library).then(
    (Plotly) => grid.isConnected && render(Plotly, grid, grid.cells, grid.wanted),
    (error) => { grid.textContent = error.message; },
  );
}
