// Draws one chart in each frame, charts near the screen first, and later updates the charts in place. A
// browser tab loads plotly.js once for all its pages.

const NEAR = "400px 0px"; // A chart this close to the screen counts as near.
const PATIENCE = 300; // ms after which charts far from the screen are drawn as well
const TOOLBAR = 30; // pixels above a figure; live_charts.css has the same number
const SHARED = ["text", "customdata"]; // Python sends these attributes once if several traces share them.
const EXPAND = { width: 448, height: 512, path:
  "M0 64h160v48H48v112H0zM288 64h160v160h-48V112H288zM0 288h48v112h112v48H0zM400 288h48v160H288v-48h112z" };

function plotly(source) {
  globalThis.liveChartsPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(source, window.location.href); // All pages have addresses in the same folder.
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
    document.head.append(script);
  });
  return globalThis.liveChartsPlotly;
}

let turn = Promise.resolve(); // The browser shows each chart before it begins to draw the next one.

function soon(task) {
  turn = turn.then(() => new Promise((done) => requestAnimationFrame(() => { done(); task(); })));
}

class Chart {
  constructor(Plotly, key) {
    const [cell, plot, caption] = ["figure", "div", "figcaption"].map((tag) =>
      document.createElement(tag));
    cell.dataset.chart = key;
    cell.append(plot, caption);
    Object.assign(this, { Plotly, cell, plot, caption, drawn: "", near: false });
    const come = () => { this.seen.disconnect(); this.near = true; this.update(); };
    this.seen = new IntersectionObserver(([entry]) => entry.isIntersecting && come(), { rootMargin: NEAR });
    this.seen.observe(cell);
    this.later = setTimeout(come, PATIENCE);
    this.sized = new ResizeObserver(() => this.drawn && plot.clientWidth !== this.width && this.resize());
    this.sized.observe(cell);
    cell.addEventListener("fullscreenchange", () => this.drawn && this.resize());
    cell.addEventListener("keydown", (event) => this.walk(event));
  }

  show(chart, pick) {
    Object.assign(this, { chart, pick });
    this.cell.style.setProperty("--span", chart.span);
    this.reserve(chart); // Room for a chart that is not drawn yet keeps the page from jumping.
    this.cell.setAttribute("aria-label", chart.alt);
    this.caption.textContent = chart.caption; // A caption is never markup, as it may hold names from a file.
    this.update();
  }

  update() {
    if (!this.near || this.waits || this.drawn === this.chart.figure) return;
    this.waits = true;
    soon(() => { this.waits = false; if (this.plot.isConnected) this.draw(); });
  }

  draw() {
    const { plot, chart, Plotly } = this;
    const { data, layout, frames, shared } = JSON.parse(chart.figure);
    for (const trace of data)
      for (const name of SHARED)
        if (trace[name]?.shared !== undefined) trace[name] = shared[trace[name].shared];
    Object.assign(layout, { autosize: true, selectionrevision: ++this.revision });
    Object.assign(this, { layout, width: plot.clientWidth });
    const config = { ...chart.config, responsive: false }; // `sized` watches the width instead.
    // 1.5 draws smooth points on any screen. Plotly's own 2 has almost twice the pixels.
    config.plotGlPixelRatio = Math.min(2, Math.max(1.5, window.devicePixelRatio));
    // A new function would be a new configuration, with which `react` draws the chart anew: so the
    // buttons are made once.
    config.modeBarButtonsToRemove = [...config.modeBarButtonsToRemove, "toImage"]; // `camera` replaces it.
    config.modeBarButtonsToAdd = this.buttons ??= [this.camera(), ...this.expander()];
    // `react` would keep the range that constrained axes had in the last picture.
    const anew = !this.drawn || layout.uirevision !== this.picture;
    const now = applied(layout, this.sizes());
    Plotly[anew ? "newPlot" : "react"](plot, { data, layout: now, frames, config });
    if (anew) this.listen();
    Object.assign(this, { drawn: chart.figure, picture: layout.uirevision });
  }

  listen() { // `newPlot` removes all listeners.
    const chosen = (event) => this.chart.picks && event?.points.length &&
      this.pick(event.points.map((point) => point.customdata));
    this.plot.on("plotly_click", chosen);
    this.plot.on("plotly_selected", chosen); // a box or a lasso
    this.plot.on("plotly_afterplot", () => this.stops());
    this.stops();
  }

  reserve({ squares, height }) {
    if (squares) height = arranged(squares, this.plot.clientWidth).height;
    this.plot.style.minHeight = `${height ?? 120}px`;
  }

  sizes() {
    const full = document.fullscreenElement === this.cell ? window.innerHeight - TOOLBAR : 0;
    if (this.layout.meta?.squares) return arranged(this.layout, this.width, full);
    return { height: full || this.layout.height };
  }

  resize() {
    const { Plotly, plot } = this;
    this.width = plot.clientWidth;
    this.reserve(this.chart);
    Plotly.relayout(plot, { autosize: true, width: this.width, ...this.sizes() });
  }

  // The Tab key stops once at each figure; the arrow keys go from button to button.
  stops() {
    const buttons = [...this.plot.querySelectorAll(".modebar-btn")];
    const current = buttons.indexOf(document.activeElement);
    buttons.forEach((button, k) => { button.tabIndex = k === Math.max(0, current) ? 0 : -1; });
  }

  walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...this.plot.querySelectorAll(".modebar-btn")];
    const current = buttons.indexOf(event.target);
    if (!step || current < 0) return;
    event.preventDefault();
    buttons[(current + step + buttons.length) % buttons.length].focus();
    this.stops();
  }

  camera() {
    const click = () => savePicture(this.Plotly, this.plot, this.chart);
    return { name: "Picture", title: "Save as PNG", icon: this.Plotly.Icons.camera, click };
  }

  expander() {
    if (!document.fullscreenEnabled) return [];
    const click = () => document.fullscreenElement
      ? document.exitFullscreen() : this.cell.requestFullscreen();
    return [{ name: "Fullscreen", title: "Fullscreen", icon: EXPAND, click }];
  }

  end() {
    clearTimeout(this.later);
    this.seen.disconnect();
    this.sized.disconnect();
    if (this.drawn) this.Plotly.purge(this.plot); // A page can have few WebGL contexts.
    this.cell.remove();
  }
}
Chart.prototype.revision = 0;

function render(Plotly, grid, pick) {
  const { charts, sent } = grid;
  const wanted = new Set(sent.map((chart) => chart.key));
  for (const [key, chart] of charts) {
    if (wanted.has(key)) continue;
    chart.end();
    charts.delete(key);
  }
  sent.forEach((one, place) => {
    if (!charts.has(one.key)) charts.set(one.key, new Chart(Plotly, one.key));
    const chart = charts.get(one.key);
    if (grid.children[place] !== chart.cell) grid.insertBefore(chart.cell, grid.children[place] || null);
    chart.show(one, pick);
  });
}

export default function ({ parentElement, data, setTriggerValue }) {
  if (!data.charts) { plotly(data.library); return; }
  const grid = parentElement.querySelector(".live-charts");
  grid.sent = data.charts; // While the library loads, only the newest charts are kept.
  grid.charts ??= new Map();
  plotly(data.library).then(
    (Plotly) => grid.isConnected &&
      render(Plotly, grid, (nodes) => setTriggerValue("picked", nodes)),
    (error) => { grid.textContent = error.message; },
  );
  // Streamlit calls this when the page is left, and also for a call that a newer one has overtaken. The
  // newer call shows the same charts: only a grid that is no longer on the page frees them.
  return () => requestAnimationFrame(() => {
    if (grid.isConnected) return;
    grid.charts.forEach((chart) => chart.end());
    grid.charts.clear(); // A chart that has ended draws no more, even if the grid comes back.
  });
}
