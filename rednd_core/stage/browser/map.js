// A map of the nodes on a canvas. Users are circles, items are smaller diamonds on top of them: where both
// lie on one spot, both can be seen.

const CIRCLE = 4, DIAMOND = 3.2; // pixels from the middle of a mark to its edge
const REACH = 10; // pixels from the pointer to a mark that it points at
const EDGE = 0.06; // of the map, left free around the marks
const STEPS = 32767; // of a coordinate, to each side of the middle

class StageMap {
  constructor(document, { title, note, onUser, colors }) {
    const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });
    this.element = make("figure", "map");
    this.heading = make("figcaption", "map-title");
    this.canvas = make("canvas", "map-canvas");
    this.canvas.setAttribute("role", "img");
    this.tip = make("div", "tip");
    this.numbers = make("div", "map-numbers");
    this.warning = make("div", "map-numbers warning");
    const frame = make("div", "frame");
    frame.append(this.canvas, this.tip);
    this.heading.textContent = title;
    this.heading.title = note;
    this.element.append(this.heading, this.numbers, this.warning, frame);
    Object.assign(this, { frame, onUser, colors, title, step: 0 });
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.canvas.addEventListener("click", (event) => this.choose(event));
    this.tip.hidden = true;
  }

  /** Another map or other marks. `coords` is (steps, nodes, 2); `marked` says what is drawn around. */
  show({ coords, nUsers, labels, marked }) {
    Object.assign(this, { coords, nUsers, labels, marked });
  }

  /** Draw a step, also a place between two steps, as while it plays. */
  draw(step) {
    this.step = step;
    const size = this.canvas.clientWidth;
    const ratio = globalThis.devicePixelRatio || 1;
    if (!size || !this.coords) return;
    if (this.canvas.width !== Math.round(size * ratio)) {
      this.canvas.width = this.canvas.height = Math.round(size * ratio);
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, size, size);
    this.places = placed(this.coords, step, size);
    const n = this.places.length / 2;
    pen.globalAlpha = 0.62;
    pen.fillStyle = this.colors.users;
    pen.beginPath();
    for (let i = 0; i < this.nUsers; i++) circle(pen, this.places, i, CIRCLE);
    pen.fill();
    pen.globalAlpha = 0.8;
    pen.fillStyle = this.colors.items;
    pen.beginPath();
    for (let i = this.nUsers; i < n; i++) diamond(pen, this.places, i, DIAMOND);
    pen.fill();
    pen.globalAlpha = 1;
    for (const { node, color, width } of this.marked) {
      if (node < 0) continue;
      pen.strokeStyle = color;
      pen.lineWidth = width;
      pen.beginPath();
      circle(pen, this.places, node, CIRCLE + 3);
      pen.stroke();
    }
  }

  nearest(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = REACH * REACH;
    for (let i = 0; i < (this.places?.length ?? 0) / 2; i++) {
      const away = (this.places[2 * i] - x) ** 2 + (this.places[2 * i + 1] - y) ** 2;
      if (away <= least) [best, least] = [i, away];
    }
    return best;
  }

  point(event) {
    const node = this.nearest(event);
    this.tip.hidden = node < 0;
    this.canvas.style.cursor = node >= 0 && node < this.nUsers ? "pointer" : "default";
    if (node < 0) return;
    this.tip.textContent = this.labels[node]; // text, never markup: names come from files
    const right = this.places[2 * node] > this.canvas.clientWidth / 2;
    this.tip.style.left = right ? "" : `${this.places[2 * node] + 10}px`;
    this.tip.style.right = right ? `${this.canvas.clientWidth - this.places[2 * node] + 10}px` : "";
    this.tip.style.top = `${Math.max(0, this.places[2 * node + 1] - 14)}px`;
  }

  choose(event) {
    const node = this.nearest(event);
    if (node >= 0 && node < this.nUsers) this.onUser(node);
  }
}

/** Places on a square of `size` pixels, x and y in turn; between two steps on the straight line. */
function placed(coords, step, size) {
  const lower = Math.floor(step), share = step - lower;
  const from = coords.at(lower);
  const to = share > 0 ? coords.at(lower + 1) : from;
  const scale = (size * (0.5 - EDGE)) / STEPS;
  const places = new Float32Array(from.length);
  for (let i = 0; i < from.length; i++) {
    const value = (from[i] + share * (to[i] - from[i])) * scale;
    places[i] = size / 2 + (i % 2 ? -value : value); // the second axis goes up
  }
  return places;
}

function circle(pen, places, i, radius) {
  const x = places[2 * i], y = places[2 * i + 1];
  pen.moveTo(x + radius, y);
  pen.arc(x, y, radius, 0, 2 * Math.PI);
}

function diamond(pen, places, i, radius) {
  const x = places[2 * i], y = places[2 * i + 1];
  pen.moveTo(x, y - radius);
  pen.lineTo(x + radius, y);
  pen.lineTo(x, y + radius);
  pen.lineTo(x - radius, y);
  pen.closePath();
}
