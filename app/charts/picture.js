// Saves a chart as a PNG that can be read without the page: dark on white, with what it shows in words above.

const PAPER = "#FFFFFF";
const LINE = 22; // pixels of a line of text
const EDGE = 12;

async function savePicture(Plotly, plot, { about, alt, print, config }) {
  const { filename, scale } = config.toImageButtonOptions;
  const { width, height } = plot._fullLayout;
  // The page's ink is a grey that can be read on light and on dark, and the page's font is missing in a
  // picture: so the picture has the ink of print, and the font that every browser has.
  const { color, family } = plot.layout.template.layout.font;
  const common = family.split(", ").slice(1).join(", ");
  const own = JSON.stringify(plot.layout).replaceAll(color, print).replaceAll(family, common);
  const layout = JSON.parse(own);
  Object.assign(layout, { width, height, paper_bgcolor: PAPER, plot_bgcolor: PAPER });
  const figure = { data: plot.data, layout, config: { plotGlPixelRatio: scale } };
  const image = new Image();
  image.src = await Plotly.toImage(figure, { format: "png", width, height, scale });
  await image.decode();

  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const fonts = ["bold ", ""].map((weight) => `${weight}15px ${common}`);
  const lines = [about, alt].flatMap((words, k) => broken(pen, words, fonts[k], width - 2 * EDGE));
  const head = lines.length * LINE + EDGE;
  Object.assign(canvas, { width: width * scale, height: (height + head) * scale });
  pen.scale(scale, scale);
  pen.fillStyle = PAPER;
  pen.fillRect(0, 0, width, height + head);
  pen.fillStyle = print;
  lines.forEach(({ text, font }, k) => {
    pen.font = font;
    pen.fillText(text, EDGE, EDGE + LINE * k + 14);
  });
  pen.drawImage(image, 0, head, width, height);
  const blob = await new Promise((done) => canvas.toBlob(done));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${filename}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function broken(pen, words, font, width) {
  pen.font = font;
  const lines = [];
  for (const word of words.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (!lines.length || pen.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((text) => ({ text, font }));
}
