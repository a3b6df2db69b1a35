// As much of a browser's page as the charts use, with a Plotly that notes what it is asked to do.

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], listeners: {}, attributes: {}, dataset: {}, parent: null });
    this.style = { setProperty: (name, value) => { this.style[name] = value; } };
    this.textContent = "";
    this.clientWidth = 600;
  }
  get isConnected() { return this.tag === "body" || Boolean(this.parent?.isConnected); }
  append(...children) { children.forEach((child) => this.insertBefore(child, null)); }
  insertBefore(child, before) {
    child.remove();
    child.parent = this;
    const place = before ? this.children.indexOf(before) : this.children.length;
    this.children.splice(place, 0, child);
  }
  remove() {
    if (this.parent) this.parent.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = null;
  }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  focus() { document.activeElement = this; }
  querySelector() { return this.children[0]; }
  querySelectorAll() { return this.buttons ?? []; }
  on(name, listener) { (this.plotly ??= {})[name] = listener; } // what Plotly adds to its element
}

class FakePlotly {
  constructor() { this.calls = []; }
  Icons = { camera: {} };
  note(name, plot, figure) { this.calls.push({ name, plot, figure }); }
  newPlot(plot, figure) { plot.plotly = {}; this.note("newPlot", plot, figure); }
  react(plot, figure) { this.note("react", plot, figure); }
  relayout(plot, changes) { this.note("relayout", plot, changes); }
  purge(plot) { this.note("purge", plot); }
  get names() { return this.calls.map(({ name }) => name); }
}

// An empty page, where all charts are near the screen if `near` says so. Nothing happens by itself: the
// library is there after `library()`, and the browser draws its next frames in `frames()`.
export function openPage({ near = true } = {}) {
  const waiting = [];
  const body = new Element("body");
  const watchers = [];
  const scripts = [];
  Object.assign(globalThis, {
    liveChartsPlotly: undefined,
    Plotly: undefined,
    document: {
      createElement: (tag) => new Element(tag),
      head: { append: (script) => scripts.push(script) },
      activeElement: null,
      fullscreenElement: null,
      fullscreenEnabled: true,
    },
    window: { location: { href: "http://here/training" }, devicePixelRatio: 1, innerHeight: 900 },
    requestAnimationFrame: (task) => waiting.push(task),
    IntersectionObserver: class {
      constructor(told) { this.told = told; watchers.push(this); }
      observe() { if (near) queueMicrotask(() => this.told([{ isIntersecting: true }])); } // later, as in a browser
      disconnect() {}
    },
    ResizeObserver: class {
      constructor(told) { this.told = told; }
      observe(cell) { cell.resized = () => this.told(); }
      disconnect() {}
    },
    setTimeout: () => 0, // the time after which charts far from the screen are drawn: never here
    clearTimeout: () => {},
  });
  const root = new Element("div");
  const grid = new Element("div");
  body.append(root);
  root.append(grid);
  const plotly = new FakePlotly();
  const settled = () => new Promise((done) => setImmediate(done));
  return {
    grid, plotly, scripts,
    leave: () => root.remove(),
    scrolled: () => watchers.forEach((watcher) => watcher.told([{ isIntersecting: true }])),
    library: async () => { globalThis.Plotly = plotly; scripts[0].onload(); await settled(); },
    frames: async (n = 20) => {
      for (let k = 0; k < n; k++) {
        await settled();
        waiting.splice(0).forEach((task) => task());
      }
      await settled();
    },
    props: (charts, setTriggerValue = () => {}) => (
      { parentElement: root, data: { library: "library/plotly.js", charts }, setTriggerValue }
    ),
  };
}

// A chart as Python sends it.
export function chart(key, { y = [1, 2], revision = "same", ...own } = {}) {
  const figure = { data: [{ y }], layout: { uirevision: revision, height: 300 } };
  return {
    key, figure: JSON.stringify({ ...figure, shared: [] }), height: 300, squares: null, alt: `alt of ${key}`,
    config: { modeBarButtonsToRemove: [] }, span: 3, caption: "", picks: false, ...own,
  };
}
