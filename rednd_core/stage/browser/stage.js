// The stage: one slider of depth or of epochs, and everything on it moves at once, in the browser.

const STEP_SECONDS = 0.9; // from one step to the next while it plays
const PAUSE_SECONDS = 0.5; // on every step

class Stage {
  /** `on`: called with {depth}, {epoch} or {user} when the reader has chosen one, e.g. for the address. */
  constructor(root, payload, { colors, start, on = () => {} }) {
    const document = root.ownerDocument;
    Object.assign(this, { root, document, payload, colors, on, step: 0, playing: false });
    this.axis = payload.axis;
    this.words = WORDS[this.axis.name];
    this.last = this.axis.steps.length - 1;
    this.runs = payload.runs.map((run) => ({ ...run, lists: decoded(run.lists), own: decoded(run.own),
      ranks: decoded(run.ranks), maps: Object.fromEntries(Object.entries(run.maps).map(
        ([method, map]) => [method, decoded(map)])) }));
    this.userNodes = decoded(payload.users.nodes).values;
    this.itemNodes = decoded(payload.item_nodes).values;
    this.begins = decoded(payload.held_out.begins).values;
    this.heldItems = decoded(payload.held_out.items).values;
    this.movers = payload.movers && { ...payload.movers, nodes: decoded(payload.movers.nodes),
      jaccard: decoded(payload.movers.jaccard) };
    this.user = Math.max(0, payload.users.keys.indexOf(start.user));
    this.methods = Object.keys(this.runs[0].maps).filter((method) =>
      this.runs.every((run) => run.maps[method]));
    this.method = this.methods.includes(start.method) ? start.method : this.methods[0];
    this.build();
    this.go(this.stepOf(start[this.axis.name] ?? 0));
  }

  /** The number of the last step that is not beyond `value`, a depth or an epoch. */
  stepOf(value) {
    return Math.max(0, this.axis.steps.findLastIndex((step) => step <= value));
  }

  /** The depth or the epoch of a step. */
  value(step = this.step) {
    return this.axis.steps[Math.floor(step)];
  }

  /** Tell whoever listens which step was chosen. */
  tell() {
    this.on({ [this.axis.name]: this.value() });
  }

  make(tag, name, content = "") {
    const made = this.document.createElement(tag);
    made.className = name;
    if (content) made.textContent = content;
    return made;
  }

  build() {
    const twins = this.runs.length === 2;
    const stage = this.make("div", twins ? "stage twins" : "stage");
    stage.append(this.bar());
    const picture = this.make("div", "picture");
    this.maps = this.runs.flatMap((run, place) =>
      (twins ? ["chosen"] : this.methods).map((method) => this.map(run, place, method)));
    this.lines = new StageLines(this.document, { colors: this.colors, onStep: (step) => this.go(step, true) });
    this.lines.show(this.runs, this.axis);
    const side = this.make("div", "side");
    side.append(this.lines.element, this.key());
    this.lists = this.runs.map((run) => new StageList(this.document, run.title));
    const lists = this.make("div", "lists");
    lists.append(this.chooser(), ...this.lists.map((list) => list.element));
    picture.classList.toggle("one-map", this.maps.length === 1);
    picture.append(...this.maps.map(({ map }) => map.element), side, lists);
    stage.append(picture);
    if (twins) {
      this.differences = new StageDifferences(this.document, (user) => this.follow(user, true));
      stage.append(this.differences.element);
    }
    this.root.replaceChildren(stage);
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(picture);
    this.mark();
  }

  bar() {
    const bar = this.make("div", "bar");
    this.button = this.make("button", "play", "Play");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.playing ? this.stop() : this.play());
    const label = this.make("label", "depth");
    this.slider = this.make("input", "slider");
    Object.assign(this.slider, { type: "range", min: 0, max: this.last, step: 1 });
    this.slider.setAttribute("aria-label", this.words.slider);
    this.slider.addEventListener("input", () => { this.stop(); this.go(Number(this.slider.value)); });
    this.slider.addEventListener("change", () => this.tell());
    this.number = this.make("output", "number");
    label.append(this.slider);
    bar.append(this.button, label, this.number);
    if (this.runs.length === 2 && this.methods.length > 1) bar.append(this.methodChoice());
    return bar;
  }

  methodChoice() {
    const choice = this.make("select", "method");
    choice.setAttribute("aria-label", "Map");
    for (const method of this.methods) {
      const option = this.make("option", "", method.toUpperCase());
      option.value = method;
      option.selected = method === this.method;
      choice.append(option);
    }
    choice.addEventListener("change", () => { this.method = choice.value; this.mark(); });
    return choice;
  }

  map(run, place, method) {
    const chosen = () => (method === "chosen" ? this.method : method);
    const map = new StageMap(this.document, { ...this.titles(chosen()), colors: this.colors,
      onUser: (node) => this.follow(this.userNodes.indexOf(node), true) });
    return { map, run, chosen, place };
  }

  titles(method) {
    return { title: this.words[method], note: method === "pca" ? PCA_NOTE : UMAP_NOTE };
  }

  key() {
    const { n_users, n_items, all_users, all_items, n_isolated } = this.payload.nodes;
    const key = this.make("p", "key");
    const mark = (name, text) => { const one = this.make("span", `of ${name}`, text); key.append(one); };
    const count = (n, all, what) => n === all ? `${all.toLocaleString("en")} ${what}` :
      `${n.toLocaleString("en")} of ${all.toLocaleString("en")} ${what}`;
    mark("users", count(n_users, all_users, "users"));
    mark("items", count(n_items, all_items, "items"));
    mark("followed", "the user below");
    mark("chosen", "validation items");
    if (this.runs.length === 2) key.append(this.make("span", "of", `solid: ${this.runs[0].title}; dashed: ${this.runs[1].title}`));
    if (n_isolated) key.append(this.make("span", "of", `${n_isolated.toLocaleString("en")} nodes without a train interaction are left out`));
    if (this.payload.ranked.n < this.payload.ranked.all) key.append(this.make("span", "of",
      `MAD and rank are of these nodes; lists rank ${count(this.payload.ranked.n, this.payload.ranked.all, "items")}`));
    const { ci, n } = this.runs[0].lines.find((line) => line.name === "recall") ?? {};
    if (n) key.append(this.make("span", "of", ci.some((one) => one !== null) ?
      `recall: a sample of ${n.users.toLocaleString("en")} users, ± ${written(Math.max(...ci))}` :
      `recall: ${n.users.toLocaleString("en")} users with validation items`));
    return key;
  }

  chooser() {
    const row = this.make("div", "chooser");
    const id = `users-${Math.random().toString(36).slice(2)}`;
    const label = this.make("label", "", "Follow a user ");
    this.field = this.make("input", "user");
    this.field.setAttribute("list", id);
    const options = this.make("datalist", "");
    options.id = id;
    for (const text of this.payload.users.labels) {
      const option = this.make("option", "");
      option.value = text;
      options.append(option);
    }
    this.field.addEventListener("change", () => {
      const place = this.payload.users.labels.indexOf(this.field.value);
      if (place >= 0) this.follow(place, true);
    });
    this.field.addEventListener("focus", () => this.field.select());
    label.append(this.field, options);
    const step = (text, by) => {
      const button = this.make("button", "step", text);
      button.type = "button";
      const n = this.payload.users.keys.length;
      button.addEventListener("click", () => this.follow((this.user + by + n) % n, true));
      return button;
    };
    row.append(label, step("Previous", -1), step("Next", 1));
    return row;
  }

  /** Follow another user; `say`: also to whoever listens. */
  follow(place, say = false) {
    if (place < 0) return;
    this.user = place;
    this.mark();
    this.field.value = this.payload.users.labels[place];
    if (say) this.on({ user: this.payload.users.keys[place] });
  }

  /** Show what is ringed on the maps: the user and the validation items of that user. */
  mark() {
    this.field.value = this.payload.users.labels[this.user];
    const marked = [{ node: this.userNodes[this.user], color: this.colors.accent, width: 3 }];
    const { labels, n_users } = this.payload.nodes;
    for (const { map, run, chosen } of this.maps) {
      const { title, note } = this.titles(chosen());
      map.heading.textContent = this.runs.length === 2 ? `${run.title} · ${chosen().toUpperCase()}` : title;
      map.heading.title = note;
      const heldOut = this.heldOut(run, 0).map(([item]) =>
        ({ node: this.itemNodes[item], color: this.colors.hit, width: 2 }));
      map.show({ coords: run.maps[chosen()], nUsers: n_users, labels, marked: [...heldOut, ...marked] });
    }
    this.draw();
  }

  /** Show a step at once; `say`: also to whoever listens. */
  go(step, say = false) {
    this.step = step;
    this.draw();
    if (say) { this.slider.value = step; this.tell(); }
  }

  draw() {
    const whole = Math.floor(this.step);
    this.slider.value = whole;
    const marks = [...new Set(this.runs.map((run) => run.beyond_from))];
    const note = marks.every((mark) => whole > mark) ? ` · ${this.words.beyond}` :
      marks.length === 1 && whole === marks[0] ? ` · ${this.words.at}` : "";
    this.number.textContent = `${this.place(whole)}${note}`;
    this.slider.setAttribute("aria-valuetext", this.number.textContent);
    for (const { map, run, chosen } of this.maps) {
      const step = Math.min(this.step, run.n_steps - 1);
      map.draw(step);
      const at = Math.floor(step);
      const { users, items } = run.lines[0].sides;
      map.numbers.textContent = `MAD users ${written(users[at])}, items ${written(items[at])}`;
      map.warning.textContent = !run.collapsed[at] ? "" : chosen() === "umap" ?
        "collapsed, and this map hides it" : "collapsed";
      map.canvas.setAttribute("aria-label", `${map.heading.textContent}, ${this.place(at)}: ` +
        `${map.numbers.textContent}. ${map.warning.textContent}`);
    }
    this.lines.move(this.step);
    if (whole !== this.listed || this.user !== this.listedUser) this.list(whole);
  }

  /** A step in words: "depth 3", "epoch 12". */
  place(step) {
    return `${this.axis.name} ${this.value(step).toLocaleString("en")}`;
  }

  list(step) {
    this.listed = step;
    this.listedUser = this.user;
    this.runs.forEach((run, number) => {
      const at = Math.min(step, run.n_steps - 1);
      this.lists[number].show({
        listed: run.lists.at(at, this.user), own: run.own.at(this.user), place: this.place(at),
        heldOut: this.heldOut(run, at), names: this.payload.items,
        beyond: step > at ? this.words.ended(this.value(at)) : "" });
    });
    if (this.differences) this.compare(step);
  }

  /** Pairs of the user's validation items and their ranks at a step. */
  heldOut(run, step) {
    const begin = this.begins[this.user];
    const end = this.begins[this.user + 1] ?? this.heldItems.length;
    const ranks = run.ranks.at(step);
    const pairs = [];
    for (let pair = begin; pair < end; pair++) pairs.push([this.heldItems[pair], ranks[pair]]);
    return pairs;
  }

  compare(step) {
    const [one, other] = this.runs.map((run) => ({ run, at: Math.min(step, run.n_steps - 1) }));
    const { labels, keys } = this.payload.users;
    const lists = flipped((user) => one.run.lists.at(one.at, user),
      (user) => other.run.lists.at(other.at, user), keys.length, 6);
    const k = Math.min(one.at, other.at, this.movers.nodes.shape[0] - 1);
    const moved = { k: this.movers.k, nodes: this.movers.nodes.at(k), kept: this.movers.jaccard.at(k) };
    this.differences.show({ lists, moved, users: labels, nodes: this.payload.nodes.labels });
  }

  play() {
    this.playing = true;
    this.button.textContent = "Stop";
    const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
    const from = this.step >= this.last ? 0 : Math.floor(this.step);
    const began = performance.now();
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      const steps = (now - began) / 1000 / (STEP_SECONDS + PAUSE_SECONDS);
      const whole = Math.floor(steps);
      const moved = Math.max(0, (steps - whole) * (STEP_SECONDS + PAUSE_SECONDS) - PAUSE_SECONDS) / STEP_SECONDS;
      this.go(Math.min(this.last, from + whole + (still ? 0 : moved)));
      if (this.step >= this.last) this.stop(); else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.button.textContent = "Play";
    this.go(Math.floor(this.step));
    this.tell();
  }

  end() {
    this.playing = false;
    this.sized.disconnect();
  }
}
