// The stage: one slider of depth, and everything on it moves at once, in the browser.

const STEP_SECONDS = 0.9; // from one layer to the next while it plays
const PAUSE_SECONDS = 0.5; // on every layer
const MAP_TITLES = {
  pca: ["PCA · same axes at every depth", "A cloud that shrinks is a layer whose vectors grow alike."],
  umap: ["UMAP · one layout for all depths", "UMAP draws who is next to whom. It stretches what lies close together, so it can hide a collapse."],
};

class Stage {
  /** `on`: called with {depth} or {user} when the reader has chosen one, e.g. for the address. */
  constructor(root, payload, { colors, start, on = () => {} }) {
    const document = root.ownerDocument;
    Object.assign(this, { root, document, payload, colors, on, depth: 0, playing: false });
    this.runs = payload.runs.map((run) => ({ ...run, lists: decoded(run.lists), own: decoded(run.own),
      ranks: decoded(run.ranks), maps: Object.fromEntries(Object.entries(run.maps).map(
        ([method, map]) => [method, decoded(map)])) }));
    this.userNodes = decoded(payload.users.nodes).values;
    this.itemNodes = decoded(payload.item_nodes).values;
    this.begins = decoded(payload.held_out.begins).values;
    this.heldItems = decoded(payload.held_out.items).values;
    this.movers = payload.movers && { ...payload.movers, nodes: decoded(payload.movers.nodes),
      jaccard: decoded(payload.movers.jaccard) };
    this.last = Math.max(...this.runs.map((run) => run.n_depths)) - 1;
    this.user = Math.max(0, payload.users.keys.indexOf(start.user));
    this.methods = Object.keys(this.runs[0].maps).filter((method) =>
      this.runs.every((run) => run.maps[method]));
    this.method = this.methods.includes(start.method) ? start.method : this.methods[0];
    this.build();
    this.go(Math.min(this.last, start.depth));
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
    this.lines = new DepthLines(this.document, { colors: this.colors, onDepth: (depth) => this.go(depth, true) });
    this.lines.show(this.runs, this.last);
    const side = this.make("div", "side");
    side.append(this.lines.element, this.key());
    this.lists = this.runs.map((run) => new DepthList(this.document, run.title));
    const lists = this.make("div", "lists");
    lists.append(this.chooser(), ...this.lists.map((list) => list.element));
    picture.classList.toggle("one-map", this.maps.length === 1);
    picture.append(...this.maps.map(({ map }) => map.element), side, lists);
    stage.append(picture);
    if (twins) stage.append(this.differences = this.make("div", "differences"));
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
    this.slider.setAttribute("aria-label", "Depth: how many times the vectors are mixed with their neighbours");
    this.slider.addEventListener("input", () => { this.stop(); this.go(Number(this.slider.value)); });
    this.slider.addEventListener("change", () => this.on({ depth: Math.floor(this.depth) }));
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
    const [title, note] = MAP_TITLES[chosen()];
    const map = new DepthMap(this.document, { title, note, colors: this.colors,
      onUser: (node) => this.follow(this.userNodes.indexOf(node), true) });
    return { map, run, chosen, place };
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
      const [title, note] = MAP_TITLES[chosen()];
      map.heading.textContent = this.runs.length === 2 ? `${run.title} · ${chosen().toUpperCase()}` : title;
      map.heading.title = note;
      const heldOut = this.heldOut(run, 0).map(([item]) =>
        ({ node: this.itemNodes[item], color: this.colors.hit, width: 2 }));
      map.show({ coords: run.maps[chosen()], nUsers: n_users, labels, marked: [...heldOut, ...marked] });
    }
    this.draw();
  }

  /** Show a depth at once; `say`: also to whoever listens. */
  go(depth, say = false) {
    this.depth = depth;
    this.draw();
    if (say) { this.slider.value = depth; this.on({ depth }); }
  }

  draw() {
    const whole = Math.floor(this.depth);
    this.slider.value = whole;
    const trained = [...new Set(this.runs.map((run) => run.trained_depth))];
    const note = trained.every((depth) => whole > depth) ? " · beyond the trained depth" :
      trained.length === 1 && whole === trained[0] ? " · as deep as it was trained" : "";
    this.number.textContent = `depth ${whole}${note}`;
    this.slider.setAttribute("aria-valuetext", this.number.textContent);
    for (const { map, run, chosen } of this.maps) {
      const depth = Math.min(this.depth, run.n_depths - 1);
      map.draw(depth);
      const at = Math.floor(depth);
      const { users, items } = run.lines[0].sides;
      map.numbers.textContent = `MAD users ${written(users[at])}, items ${written(items[at])}`;
      map.warning.textContent = !run.collapsed[at] ? "" : chosen() === "umap" ?
        "collapsed, and this map hides it" : "collapsed";
      map.canvas.setAttribute("aria-label", `${map.heading.textContent}, depth ${at}: ` +
        `${map.numbers.textContent}. ${map.warning.textContent}`);
    }
    this.lines.move(this.depth);
    if (whole !== this.listed || this.user !== this.listedUser) this.list(whole);
  }

  list(depth) {
    this.listed = depth;
    this.listedUser = this.user;
    this.runs.forEach((run, place) => {
      const at = Math.min(depth, run.n_depths - 1);
      this.lists[place].show({
        listed: run.lists.at(at, this.user), own: run.own.at(this.user), depth: at,
        heldOut: this.heldOut(run, at), names: this.payload.items,
        beyond: depth > at ? `Its ${at} layers are all that it has. ` : "" });
    });
    if (this.differences) this.compare(depth);
  }

  /** Pairs of the user's validation items and their ranks at a depth. */
  heldOut(run, depth) {
    const begin = this.begins[this.user];
    const end = this.begins[this.user + 1] ?? this.heldItems.length;
    const ranks = run.ranks.at(depth);
    const pairs = [];
    for (let pair = begin; pair < end; pair++) pairs.push([this.heldItems[pair], ranks[pair]]);
    return pairs;
  }

  compare(depth) {
    const [one, other] = this.runs;
    const at = [one, other].map((run) => Math.min(depth, run.n_depths - 1));
    const { labels, keys } = this.payload.users;
    const { changed, users } = flipped((user) => one.lists.at(at[0], user),
      (user) => other.lists.at(at[1], user), keys.length, 6);
    const lists = this.make("section", "");
    lists.append(this.make("h3", "list-title", `Lists that flipped: ${changed.toLocaleString("en")} of ${keys.length.toLocaleString("en")} users share at most 2 items`));
    const row = this.make("div", "choices");
    for (const [user, shared] of users) {
      const button = this.make("button", "choice", `${labels[user]} (${shared} shared)`);
      button.type = "button";
      button.addEventListener("click", () => this.follow(user, true));
      row.append(button);
    }
    lists.append(row);
    const moved = this.make("section", "");
    const k = Math.min(...at, this.movers.nodes.shape[0] - 1);
    moved.append(this.make("h3", "list-title", `Nodes whose ${this.movers.k} nearest nodes differ most (share kept)`));
    const names = [...this.movers.nodes.at(k)].map((node, place) =>
      `${this.payload.nodes.labels[node]} (${written(this.movers.jaccard.at(k)[place])})`);
    moved.append(this.make("p", "missed", names.join("; ")));
    this.differences.replaceChildren(lists, moved);
  }

  play() {
    this.playing = true;
    this.button.textContent = "Stop";
    const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
    const from = this.depth >= this.last ? 0 : Math.floor(this.depth);
    const began = performance.now();
    const frame = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      const steps = (now - began) / 1000 / (STEP_SECONDS + PAUSE_SECONDS);
      const whole = Math.floor(steps);
      const moved = Math.max(0, (steps - whole) * (STEP_SECONDS + PAUSE_SECONDS) - PAUSE_SECONDS) / STEP_SECONDS;
      this.go(Math.min(this.last, from + whole + (still ? 0 : moved)));
      if (this.depth >= this.last) this.stop(); else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.button.textContent = "Play";
    this.go(Math.floor(this.depth));
    this.on({ depth: this.depth });
  }

  end() {
    this.playing = false;
    this.sized.disconnect();
  }
}
