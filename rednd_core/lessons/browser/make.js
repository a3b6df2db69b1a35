// Elements of a page and of a drawing.

function make(document, tag, name = "", text = "") {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== "") made.textContent = text; // text, never markup: titles come from files
  return made;
}

function makeButton(document, name, text, act) {
  const made = make(document, "button", name, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

/** Makes elements of an SVG. Its namespace is asked for, so that a file holds no address at all. */
function drawer(document) {
  const holder = make(document, "div");
  holder.innerHTML = "<svg></svg>";
  const namespace = holder.firstChild.namespaceURI;
  return (tag, attributes = {}, text = "") => {
    const made = document.createElementNS(namespace, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text !== "") made.textContent = text;
    return made;
  };
}
