// What differs most between two runs at one step: users by their lists, nodes by their neighbourhoods.

class StageDifferences {
  constructor(document, onUser) {
    Object.assign(this, { document, onUser });
    this.element = this.make("div", "differences");
  }

  make(tag, name, content = "") {
    const made = this.document.createElement(tag);
    made.className = name;
    made.textContent = content; // text, never markup: names come from files
    return made;
  }

  /**
   * `lists`: of `flipped`; `moved`: nodes and the shares of their `k` nearest nodes that they keep; `users`,
   * `nodes`: labels.
   */
  show({ lists: { changed, users: most }, moved, users, nodes }) {
    const lists = this.make("section", "");
    lists.append(this.make("h2", "list-title", `Lists that flipped: ${changed.toLocaleString("en")} of ` +
      `${users.length.toLocaleString("en")} users share at most 2 items`));
    const row = this.make("div", "choices");
    for (const [user, shared] of most) {
      const button = this.make("button", "choice", `${users[user]} (${shared} shared)`);
      button.type = "button";
      button.addEventListener("click", () => this.onUser(user));
      row.append(button);
    }
    lists.append(row);
    const neighbours = this.make("section", "");
    neighbours.append(this.make("h2", "list-title",
      `Nodes whose ${moved.k} nearest nodes differ most (share kept)`));
    const names = [...moved.nodes].map((node, place) => `${nodes[node]} (${written(moved.kept[place])})`);
    neighbours.append(this.make("p", "missed", names.join("; ")));
    this.element.replaceChildren(lists, neighbours);
  }
}

/** Users whose two lists share least, with how many items they share: [user, shared] ascending. */
function flipped(first, second, nUsers, most) {
  const found = [];
  for (let user = 0; user < nUsers; user++) {
    const one = new Set(first(user)), other = second(user);
    let shared = 0, of = 0;
    for (const item of other) if (item >= 0) { of += 1; shared += one.has(item); }
    if (of) found.push([user, shared]);
  }
  const changed = found.filter(([, shared]) => shared <= 2).length;
  return { changed, users: found.sort((a, b) => a[1] - b[1] || a[0] - b[0]).slice(0, most) };
}
