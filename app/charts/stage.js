// Between Streamlit and the stage, which stays as it is while the page is run again.

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  const names = { users: "users", items: "items", accent: "ring", hit: "hit" };
  for (const [name, variable] of Object.entries(names))
    root.style.setProperty(`--${variable}`, data.colors[name]);
  if (root.shown !== data.payload) {
    root.shown = data.payload;
    root.stage?.end();
    const payload = JSON.parse(data.payload), { name } = payload.axis;
    // Another run or other vectors: the slider stays where the reader has it.
    const kept = root.stage?.axis.name === name ? { [name]: root.stage.value() } : {};
    root.stage = new Stage(root, payload, { colors: data.colors, start: { ...data.start, ...kept },
      on: (chosen) => root.tell(chosen) });
  }
  root.tell = (chosen) => setTriggerValue("chosen", chosen);
}
