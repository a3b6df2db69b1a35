// Lessons in a file: buttons choose one, and the end of the address says where the reader is.

function lessonFile(document, payloads, colors) {
  const root = document.getElementById("lesson"), list = document.getElementById("lesson-list");
  const view = document.defaultView;
  let player = null, number = 0;
  const note = (step) => view.history.replaceState(null, "", `#lesson=${number}${step ? `&step=${step}` : ""}`);
  const open = (wanted, step = "", presenting = false) => {
    const payload = payloads.find(({ lesson }) => lesson.number === wanted) ?? payloads[0];
    number = payload.lesson.number;
    player?.end();
    player = new LessonPlayer(root, payload, { colors, step, presenting, on });
    buttons.forEach((button, place) =>
      button.setAttribute("aria-pressed", String(payloads[place].lesson.number === number)));
  };
  const on = ({ lesson, step, presenting }) => {
    if (lesson) { open(lesson, "", player.presenting); note(""); }
    if (step) note(step);
    if (presenting !== undefined) player.present(presenting);
  };
  const buttons = payloads.map(({ lesson }) => {
    const button = makeButton(document, "lesson-choice", `${lesson.number}. ${lesson.title}`, () => on({ lesson: lesson.number }));
    if (payloads.length > 1) list.append(button);
    return button;
  });
  const asked = new URLSearchParams(view.location.hash.slice(1));
  open(Number(asked.get("lesson")), asked.get("step") ?? "");
}
