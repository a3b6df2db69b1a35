// Between Streamlit and the stage, which stays as it is while the page is run again.

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  const names = { users: "users", items: "items", accent: "ring", hit: "hit" };
  for (const [name, variable] of Object.entries(names))
    root.style.setProperty(`--${variable}`, data.colors[name]);
  if (root.shown !== data.payload) {
    root.shown = data.payload;
    root.stage?.end();
    const start = root.stage ? { ...data.start, depth: root.stage.depth } : data.start;
    root.stage = new Stage(root, JSON.parse(data.payload), { colors: data.colors, start,
      on: (chosen) => root.tell(chosen) });
  }
  root.tell = (chosen) => setTriggerValue("chosen", chosen);
}
