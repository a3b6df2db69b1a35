// One user's list at one step, and where the held-out items are.

class StageList {
  constructor(document, title) {
    const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });
    this.document = document;
    this.element = make("section", "list");
    this.heading = make("h2", "list-title");
    this.items = make("ol", "cards");
    this.missed = make("p", "missed");
    this.title = title;
    this.element.append(this.heading, this.items, this.missed);
  }

  /**
   * `listed`: places of items, best first, -1 for none; `own`: those of the whole model; `heldOut`: pairs
   * of an item's place and its rank; `names`: of all items; `place`: the step in words.
   */
  show({ listed, own, heldOut, names, place, beyond }) {
    const wanted = new Set(heldOut.map(([item]) => item));
    const usual = new Set(own);
    const shown = [...listed].filter((item) => item >= 0);
    const hits = shown.filter((item) => wanted.has(item)).length;
    const same = shown.filter((item) => usual.has(item)).length;
    this.heading.textContent = `${this.title} · list at ${place}`;
    const cards = shown.map((item) => {
      const card = this.document.createElement("li");
      card.className = wanted.has(item) ? "card hit" : usual.has(item) ? "card" : "card new";
      card.textContent = names[item]; // text, never markup: titles come from files
      card.title = wanted.has(item) ? "The user chose this item in the validation data." :
        usual.has(item) ? "The whole model lists this item for the user." :
          "The whole model does not list this item for the user.";
      return card;
    });
    this.items.replaceChildren(...cards);
    const ranks = heldOut.filter(([item]) => !shown.includes(item))
      .map(([item, rank]) => `${names[item]}: rank ${rank.toLocaleString("en")}`);
    const found = wanted.size ? `${hits} of ${wanted.size} validation items listed. ` : "No validation items. ";
    const shared = `${same} of ${shown.length} are also in the list of the whole model.`;
    const where = ranks.length ? ` Not listed: ${ranks.slice(0, 3).join("; ")}` +
      (ranks.length > 3 ? `; ${ranks.length - 3} more.` : ".") : "";
    this.missed.textContent = beyond + found + shared + where;
  }
}
