// Small line charts over the steps (depths or epochs), one below the other, with one marker for all of them.

const WIDTH = 260, PLOT = 62; // units of a chart and of its plot; a chart is scaled to its column
const LEFT = 40, RIGHT = 8, TITLE = 22, BOTTOM = 20;
const ROW = 18; // of the values of a run, below the title
const MOST_TICKS = 9;
const SIDES = ["users", "items"];

class StageLines {
  constructor(document, { colors, onStep }) {
    Object.assign(this, { document, colors, onStep, charts: [] });
    this.element = Object.assign(document.createElement("div"), { className: "lines" });
    // Asked for and not written down: the published file shall hold no address at all.
    this.element.innerHTML = "<svg></svg>";
    this.namespace = this.element.firstChild.namespaceURI;
  }

  /** `runs`: the lines of each run; the second is dashed. `axis`: what a step is, and all steps. */
  show(runs, axis) {
    this.runs = runs;
    this.axis = axis;
    this.last = axis.steps.length - 1;
    this.element.replaceChildren();
    this.charts = runs[0].lines.map(({ name }) => this.chart(name));
  }

  chart(name) {
    const found = this.runs.map((run) => run.lines.find((line) => line.name === name)).filter(Boolean);
    const above = TITLE + found.length * ROW, bottom = above + PLOT;
    const size = `0 0 ${WIDTH} ${bottom + BOTTOM}`;
    const svg = this.node("svg", { viewBox: size, class: "chart", role: "img" });
    const values = found.flatMap((line) => Object.values(line.sides).flat()).filter((v) => v !== null);
    const top = ceiling(Math.max(...values));
    const x = (step) => LEFT + (step / Math.max(1, this.last)) * (WIDTH - LEFT - RIGHT);
    const y = (value) => bottom - (value / top) * PLOT;
    // As the words beside the slider: what lies beyond in all runs.
    const from = Math.min(this.last, Math.max(...this.runs.map((run) => run.beyond_from)));
    svg.append(this.node("rect", { class: "beyond", x: x(from), y: above,
      width: x(this.last) - x(from), height: PLOT }));
    for (const value of [0, top / 2, top]) {
      svg.append(this.node("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(this.text(LEFT - 5, y(value) + 4, shortened(value), "end"));
    }
    for (let step = 0; step <= this.last; step += Math.ceil((this.last + 1) / MOST_TICKS))
      svg.append(this.text(x(step), bottom + 15, this.axis.steps[step], "middle"));
    svg.append(this.text(0, 13, found[0].title, "start", "chart-title"));
    found.forEach((line, place) => {
      for (const [side, series] of sidesOf(line)) {
        const points = series.map((value, step) => value === null ? null : `${x(step)},${y(value)}`);
        svg.append(this.node("polyline", { class: place ? "line second" : "line",
          stroke: this.colors[side], points: points.filter(Boolean).join(" ") }));
      }
    });
    const marker = this.node("line", { class: "marker", y1: above - 4, y2: bottom });
    const dots = found.flatMap((line, place) => sidesOf(line).map(([side, series]) => {
      const dot = this.node("circle", { r: 4, fill: place ? "none" : this.colors[side],
        stroke: this.colors[side], "stroke-width": 2 });
      return { dot, series };
    }));
    const said = found.map((_, place) => this.text(0, 13 + (place + 1) * ROW, "", "start", "chart-value"));
    svg.append(marker, ...dots.map(({ dot }) => dot), ...said);
    svg.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      const unit = ((event.clientX - box.left) / box.width) * WIDTH;
      const step = ((unit - LEFT) / (WIDTH - LEFT - RIGHT)) * this.last;
      this.onStep(Math.min(this.last, Math.max(0, Math.round(step))));
    });
    this.element.append(svg);
    return { svg, marker, dots, said, found, x, y };
  }

  /** Move the marker, also between two steps; numbers are those of the step before. */
  move(step) {
    for (const { svg, marker, dots, said, found, x, y } of this.charts) {
      marker.setAttribute("x1", x(step));
      marker.setAttribute("x2", x(step));
      for (const { dot, series } of dots) {
        const value = between(series, step);
        dot.setAttribute("visibility", value === null ? "hidden" : "visible");
        if (value === null) continue;
        dot.setAttribute("cx", x(Math.min(step, series.length - 1)));
        dot.setAttribute("cy", y(value));
      }
      const at = (series) => written(series[Math.min(Math.floor(step), series.length - 1)]);
      found.forEach((line, place) => {
        const values = sidesOf(line).map(([side, series]) =>
          line.sides.items ? `${side} ${at(series)}` : at(series)).join(", ");
        said[place].textContent = said.length > 1 ? `${place ? "dashed" : "solid"}: ${values}` : values;
      });
      const heard = said.map((text) => text.textContent).join("; ");
      svg.setAttribute("aria-label", `${found[0].title} at ${this.axis.name} ${this.axis.steps[Math.floor(step)]}: ${heard}`);
    }
  }

  node(tag, attributes) {
    const made = this.document.createElementNS(this.namespace, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  text(x, y, content, anchor, name = "tick") {
    const made = this.node("text", { x, y, "text-anchor": anchor, class: name });
    made.textContent = content;
    return made;
  }
}

/** The series of a line, users first. */
function sidesOf(line) {
  return SIDES.filter((side) => line.sides[side]).map((side) => [side, line.sides[side]]);
}

/** The value at a place between two steps, on the straight line; null where there is none. */
function between(series, step) {
  const last = series.length - 1;
  const lower = Math.min(last, Math.floor(step));
  const from = series[lower], to = series[Math.min(last, lower + 1)];
  if (from === null || to === null) return from;
  return from + (Math.min(step, last) - lower) * (to - from);
}
