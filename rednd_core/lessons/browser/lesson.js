// A lesson, one step at a time: predict, look, go on. Keys, buttons and touch do the same.

class LessonPlayer {
  /**
   * `payload`: { lesson, previous, next, terms, ways }; `ways` maps pages to addresses, or is empty in a file.
   * `on`: called with { step }, { lesson } or { presenting } when the reader goes on.
   */
  constructor(root, payload, { colors, step = "", presenting = false, on = () => {} }) {
    Object.assign(this, { root, document: root.ownerDocument, payload, colors, on, presenting });
    this.lesson = payload.lesson;
    this.answers = new Map(); // step name -> the chosen option, or -1 where the answer was only shown
    this.element = make(this.document, "article", "lesson");
    root.replaceChildren(this.element);
    this.glossary = new Glossary(this.document, this.element, payload.terms);
    this.sized = new ResizeObserver(() => this.picture?.draw());
    this.sized.observe(this.element);
    this.keys = (event) => this.key(event);
    this.printing = () => this.print();
    this.document.addEventListener("keydown", this.keys);
    this.view = this.document.defaultView;
    this.view.addEventListener("beforeprint", this.printing);
    this.go(Math.max(0, this.lesson.steps.findIndex(({ name }) => name === step)));
    this.present(presenting);
  }

  get step() { return this.lesson.steps[this.place]; }

  get open() { return !this.step.question || this.answers.has(this.step.name); }

  /** Show a step; `say`: also to whoever listens, and lead the keyboard to it. */
  go(place, say = false) {
    this.place = place;
    this.show();
    if (!say) return;
    this.title.focus({ preventScroll: true });
    this.element.scrollTop = 0;
    this.on({ step: this.step.name });
  }

  forward() {
    if (!this.open) this.answer(-1);
    else if (this.place + 1 < this.lesson.steps.length) this.go(this.place + 1, true);
    else if (this.payload.next) this.on({ lesson: this.payload.next });
  }

  back() {
    if (this.place > 0) this.go(this.place - 1, true);
    else if (this.payload.previous) this.on({ lesson: this.payload.previous });
  }

  answer(option) {
    if (this.open) return;
    this.answers.set(this.step.name, option);
    this.show();
    this.claims.focus({ preventScroll: true });
  }

  present(presenting) {
    this.presenting = presenting;
    this.element.classList.toggle("presenting", presenting);
    this.presentButton.textContent = presenting ? "Leave (Esc)" : "Present (P)";
    this.picture.draw();
  }

  key(event) {
    const at = event.composedPath()[0];
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(at?.tagName ?? "")) return;
    const acts = { ArrowRight: () => this.forward(), PageDown: () => this.forward(), ArrowLeft: () => this.back(),
      PageUp: () => this.back(), p: () => this.on({ presenting: !this.presenting }),
      Escape: () => this.presenting && this.on({ presenting: false }) };
    const option = Number(event.key) - 1;
    const chosen = this.step.question && option >= 0 && option < this.step.question.options.length;
    const act = chosen && !this.open ? () => this.answer(option) : acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  show() {
    const { lesson, step } = this;
    this.glossary.hide();
    const head = make(this.document, "header", "lesson-head");
    head.append(make(this.document, "span", "", `Lesson ${lesson.number}: ${lesson.title}`),
      make(this.document, "span", "lesson-count", `Step ${this.place + 1} of ${lesson.steps.length}`));
    const words = this.words(step, this.open, this.answers.get(step.name) ?? -1);
    const figure = this.figure(step, this.open);
    this.element.replaceChildren(head, words, figure, this.nav(), this.glossary.tip);
    this.picture.draw();
  }

  words(step, open, chosen) {
    const words = make(this.document, "section", "lesson-words");
    const title = make(this.document, "h2", "", step.title);
    title.tabIndex = -1;
    words.append(title, this.glossary.write("p", "", step.text));
    if (step.question) words.append(this.question(step.question, open, chosen));
    const claims = make(this.document, "ul", "lesson-claims");
    claims.tabIndex = -1;
    if (open) for (const { says, holds } of step.claims) {
      const claim = this.glossary.write("li", holds ? "" : "failed", says);
      if (!holds) claim.prepend(make(this.document, "strong", "", "Not so in these data: "));
      claims.append(claim);
    }
    if (open) words.append(claims);
    const address = step.way && this.payload.ways[step.way.page];
    if (open && address) {
      const link = make(this.document, "a", "lesson-way", step.way.label);
      link.href = `${address}?${new URLSearchParams(step.way.query)}`;
      words.append(link);
    }
    Object.assign(this, { title, claims });
    return words;
  }

  question({ asks, options, right }, open, chosen) {
    const group = make(this.document, "div", "lesson-question");
    group.setAttribute("role", "group");
    group.append(make(this.document, "p", "lesson-asks", asks));
    options.forEach((text, place) => {
      const verdict = !open ? "" : place === right ? " right" : place === chosen ? " wrong" : " other";
      const button = makeButton(this.document, `lesson-answer${verdict}`, `${place + 1}. ${text}`, () => this.answer(place));
      button.disabled = open;
      if (open && place === right) button.append(make(this.document, "span", "", " ✓"));
      if (open && place === chosen && place !== right) button.append(make(this.document, "span", "", " ✗"));
      group.append(button);
    });
    return group;
  }

  figure(step, open) {
    const figure = make(this.document, "figure", "lesson-picture");
    const picture = open ? step.picture : step.before;
    if (picture) {
      this.picture = pictureOf(this.document, picture, { colors: this.colors, glossary: this.glossary });
      if (picture.title) figure.append(this.glossary.write("figcaption", "lesson-picture-title", picture.title));
      figure.append(this.picture.element);
    } else {
      this.picture = { draw() {} };
      figure.append(make(this.document, "p", "lesson-hidden", "Predict first. Then the picture is shown."));
    }
    return figure;
  }

  nav() {
    const nav = make(this.document, "nav", "lesson-nav");
    const last = this.place + 1 === this.lesson.steps.length;
    const first = this.place === 0 && !this.payload.previous;
    const back = makeButton(this.document, "lesson-back", "← Back", () => this.back());
    back.disabled = first;
    const words = !this.open ? "Show the answer" : !last ? "Next →" : this.payload.next ? "Next lesson →" : "The end";
    const next = makeButton(this.document, "lesson-next", words, () => this.forward());
    next.disabled = this.open && last && !this.payload.next;
    this.presentButton = makeButton(this.document, "lesson-present", this.presenting ? "Leave (Esc)" : "Present (P)",
      () => this.on({ presenting: !this.presenting }));
    nav.append(back, next, this.presentButton);
    return nav;
  }

  /** Before the page is printed: all steps, one below the other, with their answers. */
  print() {
    const sheet = make(this.document, "div", "lesson-sheet drawing");
    sheet.append(make(this.document, "h1", "", `Lesson ${this.lesson.number}: ${this.lesson.title}`));
    this.root.querySelector(".lesson-sheet")?.remove();
    this.root.append(sheet);
    const { picture, title, claims } = this;
    for (const step of this.lesson.steps) {
      const page = make(this.document, "section", "lesson lesson-printed");
      page.append(this.words(step, true, -1), this.figure(step, true));
      sheet.append(page);
      this.picture.draw();
    }
    sheet.classList.remove("drawing");
    Object.assign(this, { picture, title, claims });
  }

  end() {
    this.sized.disconnect();
    this.document.removeEventListener("keydown", this.keys);
    this.view.removeEventListener("beforeprint", this.printing);
  }
}
