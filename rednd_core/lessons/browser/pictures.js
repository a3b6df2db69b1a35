// Maps, lists and pictures that buttons choose among; and which class draws which kind of picture.

class ScatterPicture {
  constructor(document, picture, { colors }) {
    this.element = make(document, "div", "lesson-maps");
    this.panels = picture.panels.map((panel) => {
      const figure = make(document, "div", "lesson-map");
      const frame = make(document, "div", "lesson-map-frame");
      const canvas = make(document, "canvas");
      const numbers = Object.entries(panel.numbers).map(([name, value]) => `${name} ${written(value)}`).join(", ");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `${plain(picture.title)}, ${panel.title}. ${numbers}`);
      frame.append(canvas);
      figure.append(make(document, "div", "lesson-map-title", panel.title), frame,
        make(document, "div", "lesson-map-numbers", numbers));
      this.element.append(figure);
      return { canvas, frame, coords: decoded(panel.coords) };
    });
    this.alt = plain(picture.title);
    Object.assign(this, { colors, nUsers: picture.n_users });
    const key = make(document, "div", "lesson-legend");
    for (const side of ["users", "items"]) {
      const one = make(document, "span", `lesson-key of-${side}`, side);
      one.style.setProperty("--key", colors[side]);
      key.append(one);
    }
    this.element.append(key);
  }

  draw() {
    for (const { canvas, frame, coords } of this.panels) {
      const size = Math.floor(Math.min(frame.clientWidth, frame.clientHeight));
      if (!size) continue;
      const ratio = globalThis.devicePixelRatio || 1;
      canvas.width = canvas.height = Math.round(size * ratio);
      canvas.style.width = canvas.style.height = `${size}px`;
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      const places = placed(coords, 0, size);
      const paint = (color, from, to, shape, radius) => {
        pen.fillStyle = color;
        pen.globalAlpha = 0.65;
        pen.beginPath();
        for (let i = from; i < to; i++) shape(pen, places, i, radius);
        pen.fill();
      };
      paint(this.colors.users, 0, this.nUsers, circle, CIRCLE * 0.75);
      paint(this.colors.items, this.nUsers, places.length / 2, diamond, DIAMOND);
    }
  }
}

class CardsPicture {
  constructor(document, picture) {
    this.element = make(document, "div", "lesson-columns");
    this.alt = picture.title;
    for (const { title, cards } of picture.columns) {
      const column = make(document, "section");
      const list = make(document, "ol", "lesson-cards");
      for (const { text, note, mark } of cards) {
        const card = make(document, "li", mark ? `lesson-card ${mark}` : "lesson-card");
        card.append(make(document, "span", "lesson-card-text", text), make(document, "span", "lesson-card-note", note));
        list.append(card);
      }
      column.append(make(document, "h3", "", title), list);
      this.element.append(column);
    }
  }

  draw() {}
}

class SwitchPicture {
  constructor(document, picture, options) {
    Object.assign(this, { document, picture, options, chosen: picture.controls.map(() => 0) });
    this.element = make(document, "div", "lesson-switch");
    this.place = make(document, "div", "lesson-switched");
    this.rows = picture.controls.map(({ label, options: names }, row) => {
      const line = make(document, "div", "lesson-control");
      line.setAttribute("role", "group");
      line.setAttribute("aria-label", label);
      line.append(make(document, "span", "", label));
      const buttons = names.map((name, place) => makeButton(document, "lesson-option", name, () => {
        this.chosen[row] = place;
        this.show();
      }));
      line.append(...buttons);
      this.element.append(line);
      return buttons;
    });
    this.element.append(this.place);
    this.show();
  }

  get alt() { return this.shown.alt; }

  show() {
    this.rows.forEach((buttons, row) => buttons.forEach((button, place) =>
      button.setAttribute("aria-pressed", String(place === this.chosen[row]))));
    const picture = this.picture.pictures[this.chosen.join("-")];
    this.shown = pictureOf(this.document, picture, this.options);
    this.place.replaceChildren(this.options.glossary.write("div", "lesson-picture-title", picture.title), this.shown.element);
    this.shown.draw();
  }

  draw() { this.shown.draw(); }
}

const KINDS = { lines: LinesPicture, bars: BarsPicture, scatter: ScatterPicture, cards: CardsPicture,
  switch: SwitchPicture, by_hand: ByHandPicture };

/** What draws a picture: `element`, `alt`, and `draw()` where the element has its size. */
function pictureOf(document, picture, options) {
  return new KINDS[picture.kind](document, picture, options);
}
