// Between Streamlit and a lesson, which stays as it is while the page is run again.

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  if (root.shown !== data.payload) {
    root.shown = data.payload;
    root.player?.end();
    root.player = new LessonPlayer(root, JSON.parse(data.payload), { colors: data.colors, step: data.step,
      presenting: data.presenting, on: (chosen) => root.tell(chosen) });
  } else if (root.player.presenting !== data.presenting) root.player.present(data.presenting);
  root.tell = (chosen) => setTriggerValue("chosen", chosen);
  return () => root.player?.end();
}
