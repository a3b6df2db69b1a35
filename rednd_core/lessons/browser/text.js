// Texts with terms that the glossary explains.

/** "a [[term]] and [[other words|term]]" -> [["a "], ["term", "term"], [" and "], ["other words", "term"]]. */
function parts(text) {
  return text.split(/\[\[(.*?)\]\]/).map((part, place) => {
    if (place % 2 === 0) return [part];
    const [words, term = words] = part.split("|");
    return [words, term.toLowerCase()];
  }).filter(([words]) => words);
}

/** A text without its marks. */
function plain(text) { return parts(text).map(([words]) => words).join(""); }

class Glossary {
  /** `terms`: definitions by term in small letters. The tip is put into `home`. */
  constructor(document, home, terms) {
    Object.assign(this, { document, terms });
    this.tip = make(document, "div", "lesson-tip");
    this.tip.setAttribute("role", "tooltip");
    this.tip.id = `tip-${Math.random().toString(36).slice(2)}`;
    this.tip.hidden = true;
    home.append(this.tip);
    this.home = home;
  }

  /** An element with the text; its terms can be pointed at, reached by Tab, and touched. */
  write(tag, name, text) {
    const made = make(this.document, tag, name);
    for (const [words, term] of parts(text)) {
      made.append(term && this.terms[term] ? this.term(words, this.terms[term]) : words);
    }
    return made;
  }

  term(words, definition) {
    const made = makeButton(this.document, "lesson-term", words, () => this.show(made, definition));
    made.setAttribute("aria-describedby", this.tip.id);
    for (const event of ["pointerenter", "focus"]) made.addEventListener(event, () => this.show(made, definition));
    for (const event of ["pointerleave", "blur"]) made.addEventListener(event, () => this.hide());
    made.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.tip.hidden) { this.hide(); event.stopPropagation(); }
    });
    return made;
  }

  show(at, definition) {
    this.tip.textContent = definition;
    this.tip.hidden = false;
    const home = this.home.getBoundingClientRect(), box = at.getBoundingClientRect();
    const most = home.width - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(box.left - home.left, most))}px`;
    this.tip.style.top = `${box.bottom - home.top + this.home.scrollTop + 4}px`;
  }

  hide() { this.tip.hidden = true; }
}
