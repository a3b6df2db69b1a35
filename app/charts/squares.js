// The height of square panels follows from the width of their figure, which only the browser knows. So the
// browser arranges the panels, on a page of the app and in a downloaded page. `plots/grid.py` places them
// for readers without JavaScript.

// Panels in a row: as many as are wanted and fit. In a given height: the number with the largest panels.
function panelsInARow({ n, columns, least }, across, down, height) {
  const size = (c) => Math.min(across(c), down(c));
  let best = columns;
  if (!height) while (best > 1 && across(best) < least) best--;
  else for (let c = 1; c <= n; c++) if (size(c) > size(best)) best = c;
  return best;
}

// The changes to `layout`, which Python sent, as keys and values for Plotly.relayout.
function arranged(layout, width, height) {
  const { n, side, gap, above } = layout.meta.squares;
  const apart = above + gap; // pixels between two rows
  const { l, r, t, b } = layout.margin;
  const inner = width - l - r;
  const rows = (c) => Math.ceil(n / c);
  const across = (c) => (inner - gap * (c - 1)) / c;
  const down = (c) => (height ? (height - t - b + apart) / rows(c) - apart : side);
  const columns = panelsInARow(layout.meta.squares, across, down, height);
  const size = Math.max(20, Math.min(across(columns), down(columns)));
  const left = (inner - columns * size - (columns - 1) * gap) / 2;
  const total = rows(columns) * (size + apart) - apart;
  const changes = { width, height: total + t + b };
  for (let k = 0; k < n; k++) {
    const axis = k ? k + 1 : "";
    const x = left + (k % columns) * (size + gap);
    const y = 1 - (Math.floor(k / columns) * (size + apart)) / total;
    changes[`xaxis${axis}.domain`] = [Math.max(0, x / inner), Math.min(1, (x + size) / inner)];
    changes[`yaxis${axis}.domain`] = [Math.max(0, y - size / total), y];
  }
  // A legend or colour bar below the panels stays as many pixels away from them.
  const shrunk = (layout.height - t - b) / total;
  for (const [key, part] of [["legend", layout.legend], ["coloraxis.colorbar", layout.coloraxis?.colorbar]])
    if (part?.y < 0) changes[`${key}.y`] = part.y * shrunk;
  return changes;
}

function applied(layout, changes) {
  const whole = structuredClone(layout);
  for (const [key, value] of Object.entries(changes)) {
    const path = key.split(".");
    const last = path.pop();
    path.reduce((part, name) => (part[name] ??= {}), whole)[last] = value;
  }
  return whole;
}
