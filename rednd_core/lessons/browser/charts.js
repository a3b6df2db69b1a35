// Lines and bars, in the size of the screen and in its type.

/** The space between two marks of an axis that counts from 0 to `last`: at most six of them. */
function markStep(last) {
  if (last <= 8) return 1;
  const steps = [2, 4, 5, 10, 20, 50, 100, 200, 500, 1000];
  return steps.find((step) => last / step <= 5) ?? last;
}

/** The largest value of all lines. */
function largest(series) {
  return Math.max(...series.flatMap(({ values }) => values).filter((value) => value !== null));
}

/** Pieces of a line without gaps, each a list of [place, value]. */
function pieces(values) {
  const found = [[]];
  values.forEach((value, place) => {
    if (value === null) found.push([]); else found.at(-1).push([place, value]);
  });
  return found.filter((piece) => piece.length);
}

/** What a legend says of a line: the value at a place, or the first and the last. */
function told({ label, values }, place = null) {
  const known = pieces(values).flat();
  if (!known.length) return label;
  if (place !== null) return `${label}: ${written(values[place])}`;
  const [first, last] = [known[0], known.at(-1)];
  return first === last ? `${label}: ${written(first[1])}` : `${label}: ${written(first[1])} → ${written(last[1])}`;
}

class LinesPicture {
  constructor(document, picture, { colors }) {
    Object.assign(this, { document, picture, colors });
    this.element = make(document, "div", "lesson-chart");
    this.legend = make(document, "div", "lesson-legend");
    this.body = make(document, "div", "lesson-body");
    this.element.append(this.legend, this.body);
    this.draw1 = drawer(document);
    this.tell(null);
    this.body.addEventListener("pointermove", (event) => this.tell(this.placeAt(event)));
    this.body.addEventListener("pointerleave", () => this.tell(null));
  }

  get alt() {
    const { title, series, x } = this.picture;
    return `Line chart by ${x}. ${plain(title)}. ${series.map((one) => told(one)).join("; ")}.`;
  }

  tell(place) {
    const lines = this.picture.series.map((one) => {
      const line = make(this.document, "span", "lesson-key", told(one, place));
      line.style.setProperty("--key", this.colors[one.color]);
      if (one.dash) line.classList.add("dashed");
      return line;
    });
    if (place !== null) lines.unshift(make(this.document, "span", "", `${this.picture.x} ${place}`));
    this.legend.replaceChildren(...lines);
  }

  placeAt(event) {
    const box = this.body.getBoundingClientRect();
    const share = (event.clientX - box.left - this.left) / (box.width - this.left - this.right);
    return Math.min(this.last, Math.max(0, Math.round(share * this.last)));
  }

  draw() {
    const width = this.body.clientWidth, height = this.body.clientHeight;
    if (!width || !height) return;
    const font = parseFloat(getComputedStyle(this.body).fontSize);
    const { series, beyond, x: counted } = this.picture;
    this.left = 3.1 * font;
    this.right = 0.8 * font;
    const above = 0.7 * font, bottom = height - 2.7 * font;
    this.last = Math.max(...series.map(({ values }) => values.length)) - 1;
    const top = ceiling(this.picture.top ?? largest(series));
    const x = (place) => this.left + (place / Math.max(1, this.last)) * (width - this.left - this.right);
    const y = (value) => bottom - (value / top) * (bottom - above);
    const svg = this.draw1("svg", { width, height, role: "img", "aria-label": this.alt });
    if (beyond !== null && beyond < this.last) {
      svg.append(this.draw1("rect", { class: "beyond", x: x(beyond), y: above,
        width: x(this.last) - x(beyond), height: bottom - above }));
      svg.append(this.draw1("text", { x: width - this.right - 0.4 * font, y: above + font, "text-anchor": "end" }, "beyond training"));
    }
    for (const value of [0, top / 2, top]) {
      svg.append(this.draw1("line", { class: "grid", x1: this.left, x2: width - this.right, y1: y(value), y2: y(value) }));
      svg.append(this.draw1("text", { x: this.left - 0.4 * font, y: y(value) + 0.35 * font, "text-anchor": "end" }, shortened(value)));
    }
    for (let place = 0; place <= this.last; place += markStep(this.last))
      svg.append(this.draw1("text", { x: x(place), y: bottom + 1.1 * font, "text-anchor": "middle" }, place));
    svg.append(this.draw1("text", { x: (this.left + width) / 2, y: bottom + 2.3 * font, "text-anchor": "middle" }, counted));
    for (const { values, color, dash } of series) {
      for (const piece of pieces(values)) {
        const points = piece.map(([place, value]) => `${x(place)},${y(value)}`).join(" ");
        svg.append(this.draw1("polyline", { class: dash ? "line dashed" : "line", stroke: this.colors[color], points }));
        if (values.length <= 20) for (const [place, value] of piece)
          svg.append(this.draw1("circle", { cx: x(place), cy: y(value), r: 0.22 * font, fill: this.colors[color] }));
      }
    }
    this.body.replaceChildren(svg);
  }
}

class BarsPicture {
  constructor(document, picture, { colors }) {
    this.element = make(document, "div", "lesson-bars");
    const most = Math.max(...picture.bars.map(({ value }) => value ?? 0)) || 1;
    this.alt = `Bars. ${plain(picture.title)}. ${picture.bars.map((one) => `${one.label}: ${written(one.value)}`).join("; ")}.`;
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", this.alt);
    for (const { label, value, color } of picture.bars) {
      const track = make(document, "span", "lesson-track");
      const bar = make(document, "span", "lesson-bar");
      bar.style.width = `${(100 * (value ?? 0)) / most}%`;
      bar.style.background = colors[color];
      track.append(bar);
      this.element.append(make(document, "span", "lesson-bar-label", label), track,
        make(document, "span", "lesson-bar-value", written(value)));
    }
  }

  draw() {}
}
