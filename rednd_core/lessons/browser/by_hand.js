// A graph whose propagation is followed term by term: as nodes and lines, as a matrix, and as a formula.

const MOST_NUMBERS = 3; // of a vector that are written out; a longer one is a strip of colours
const FORMULA_PLACES = 2;

function rounded(value) { return value.toFixed(FORMULA_PLACES).replace(/^-(0\.?0*)$/, "$1"); }

/** The terms of a node's sum: [{ from, weight, vector }], and what they add up to. */
function termsOf({ weights, layers }, node, layer) {
  const terms = weights[node].map((weight, from) => ({ from, weight, vector: layers[layer][from] }))
    .filter(({ weight }) => weight > 0);
  const sum = layers[layer][node].map((_, place) =>
    terms.reduce((total, { weight, vector }) => total + weight * vector[place], 0));
  return { terms, sum };
}

class ByHandPicture {
  constructor(document, picture, { colors }) {
    Object.assign(this, { document, picture, colors, node: picture.chosen, layer: 0, lit: 0 });
    this.element = make(document, "div", "hand");
    this.draw1 = drawer(document);
    this.bar = make(document, "div", "hand-bar");
    this.graph = make(document, "div", "hand-graph");
    this.matrix = make(document, "div", "hand-matrix");
    this.formula = make(document, "div", "hand-formula");
    this.formula.setAttribute("aria-live", "polite");
    this.note = make(document, "div", "hand-note", picture.note);
    if (picture.closed) {
      this.element.append(this.graph, this.note);
      this.element.classList.add("closed");
    } else {
      this.element.append(this.graph, this.matrix, this.bar, this.formula, this.note);
      this.element.classList.toggle("star", picture.computable.length === 1);
      this.build();
    }
  }

  get alt() { return `A graph of ${this.picture.labels.length} nodes. ${this.picture.note}`; }

  get last() { return this.picture.layers.length - 2; }

  build() {
    const { labels, computable } = this.picture;
    this.next = makeButton(this.document, "hand-next", "", () => this.step());
    this.bar.append(this.next);
    if (computable.length > 1) {
      this.nodes = computable.map((node) => {
        const button = makeButton(this.document, "hand-node", labels[node], () => this.choose(node));
        this.bar.append(button);
        return button;
      });
    }
    if (this.last > 0) {
      this.layers = Array.from({ length: this.last + 1 }, (_, layer) => {
        const button = makeButton(this.document, "hand-layer", `layer ${layer} → ${layer + 1}`, () => {
          this.layer = layer;
          this.light(0);
        });
        this.bar.append(button);
        return button;
      });
    }
    this.light(0);
  }

  choose(node) {
    if (!this.picture.computable.includes(node)) return;
    this.node = node;
    this.light(0);
  }

  /** Light up one term more; after the sum, begin anew. */
  step() {
    const { terms } = termsOf(this.picture, this.node, this.layer);
    this.light(this.lit > terms.length ? 0 : this.lit + 1);
  }

  light(lit) {
    this.lit = lit;
    const { terms, sum } = termsOf(this.picture, this.node, this.layer);
    this.next.textContent = lit < terms.length ? `Light up term ${lit + 1} of ${terms.length}` :
      lit === terms.length ? "Add them up" : "Once more";
    const press = (buttons, chosen) => buttons?.forEach((button, place) =>
      button.setAttribute("aria-pressed", String(place === chosen)));
    press(this.nodes, this.picture.computable.indexOf(this.node));
    press(this.layers, this.layer);
    this.write(terms, sum);
    this.table(terms);
    this.draw();
  }

  write(terms, sum) {
    const { labels, degrees } = this.picture;
    const row = (name, ...children) => {
      const made = make(this.document, "div", name);
      made.append(...children);
      return made;
    };
    const name = `x of ${labels[this.node]}, layer ${this.layer + 1}`;
    const rows = terms.map(({ from, weight, vector }, place) => row(
      place < this.lit ? "hand-term lit" : "hand-term",
      make(this.document, "span", "", `${place ? "+ " : ""}1/√(${degrees[this.node]}·${degrees[from]}) · x of ${labels[from]}`),
      make(this.document, "span", "", place < this.lit ? `${rounded(weight)} ·` : ""),
      place < this.lit ? this.vector(vector) : make(this.document, "span", "", "?")));
    const whole = this.lit > terms.length;
    const end = row(whole ? "hand-term sum lit" : "hand-term sum", make(this.document, "span", "", `= ${name}`),
      make(this.document, "span"), whole ? this.vector(sum) : make(this.document, "span", "", "?"));
    this.formula.replaceChildren(...rows, end);
  }

  /** Short vectors in numbers, long ones as a strip: blue above 0, red below, strong where it is large. */
  vector(values) {
    if (values.length <= MOST_NUMBERS)
      return make(this.document, "span", "hand-vector", `(${values.map(rounded).join(", ")})`);
    const strip = make(this.document, "span", "hand-strip");
    const most = Math.max(...this.picture.layers.flat(2).map(Math.abs)) || 1;
    strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", `vector, first numbers ${values.slice(0, MOST_NUMBERS).map(rounded).join(", ")}`);
    for (const value of values) {
      const cell = make(this.document, "span");
      cell.style.background = value < 0 ? this.colors.two : this.colors.one;
      cell.style.opacity = String(Math.min(1, Math.abs(value) / most));
      strip.append(cell);
    }
    return strip;
  }

  /** The matrix of the weights; the row of the node, and in it what is lit. */
  table(terms) {
    const { labels, weights } = this.picture;
    const lit = new Set(terms.slice(0, this.lit).map(({ from }) => from));
    const table = make(this.document, "table");
    table.append(make(this.document, "caption", "", "Â: weights of the edges"));
    const head = make(this.document, "tr");
    const short = (label) => (labels.length > 5 ? `${label.slice(0, 6).trim()}…` : label);
    head.append(make(this.document, "td"), ...labels.map((label) => make(this.document, "th", "", short(label))));
    table.append(head);
    weights.forEach((row, node) => {
      if (!this.picture.computable.includes(node)) return;
      const line = make(this.document, "tr", node === this.node ? "chosen" : "");
      line.append(make(this.document, "th", "", short(labels[node])), ...row.map((weight, from) =>
        make(this.document, "td", node === this.node && lit.has(from) ? "lit" : "", weight ? rounded(weight) : "0")));
      table.append(line);
    });
    this.matrix.replaceChildren(table);
  }

  draw() {
    const width = this.graph.clientWidth, height = this.graph.clientHeight;
    if (!width || !height) return;
    const font = parseFloat(getComputedStyle(this.graph).fontSize);
    const { labels, places, weights, n_users, computable, degrees } = this.picture;
    const at = places.map(([x, y]) => [x * width, 0.06 * height + y * 0.9 * height]);
    const svg = this.draw1("svg", { width, height, role: "group", "aria-label": this.alt });
    const { terms } = termsOf(this.picture, this.node, this.layer);
    const lit = new Set(this.picture.closed ? [] : terms.slice(0, this.lit).map(({ from }) => from));
    weights.forEach((row, one) => row.forEach((weight, other) => {
      if (!weight || other < one) return;
      const isLit = (one === this.node && lit.has(other)) || (other === this.node && lit.has(one));
      svg.append(this.draw1("line", { class: isLit ? "edge lit" : "edge", x1: at[one][0], y1: at[one][1],
        x2: at[other][0], y2: at[other][1] }));
    }));
    labels.forEach((label, node) => {
      const able = !this.picture.closed && computable.includes(node);
      const mark = this.draw1("g", { class: node === this.node ? "node chosen" : "node", ...(able ? {
        role: "button", tabindex: 0, "aria-label": `${label}, degree ${degrees[node]}`,
        "aria-pressed": String(node === this.node) } : {}) });
      const [x, y] = at[node], r = 0.5 * font;
      const fill = node < n_users ? this.colors.users : this.colors.items;
      if (lit.has(node) || node === this.node)
        mark.append(this.draw1("circle", { class: lit.has(node) ? "ring lit" : "ring", cx: x, cy: y, r: r + 5 }));
      mark.append(node < n_users ? this.draw1("circle", { cx: x, cy: y, r, fill }) :
        this.draw1("path", { d: `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`, fill }));
      const right = x > 0.4 * width;
      const beside = labels.length > 4 || right ? { x: x + r + 8, y: y + 0.35 * font, "text-anchor": "start" } :
        { x: x - r - 8, y: y + 0.35 * font, "text-anchor": "end" };
      if (labels.length > 4 && node === 0) Object.assign(beside, { x, y: y - r - 12, "text-anchor": "middle" });
      if (labels.length <= 4) Object.assign(beside, { x, y: y - r - 12, "text-anchor": "middle" });
      mark.append(this.draw1("text", beside, label));
      if (able) {
        mark.addEventListener("click", () => this.choose(node));
        mark.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          this.choose(node);
          this.graph.querySelectorAll("[role=button]")[computable.indexOf(node)]?.focus();
        });
      }
      svg.append(mark);
    });
    this.graph.replaceChildren(svg);
  }
}
