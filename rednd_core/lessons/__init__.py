"""Ten lessons on over-smoothing: texts, questions, pictures, and claims about the numbers of the pictures.

A lesson is data. It is computed from the arrays of a :class:`~rednd_core.lessons.world.World`, becomes plain
JSON, and the scripts in ``browser/`` draw it: on the page Learn, in a handout and in a published file.
"""

from pathlib import Path

from rednd_core import stage
from rednd_core.plots import theme

BROWSER = Path(__file__).parent / "browser"
COLORS = {
    "users": theme.USERS,
    "items": theme.ITEMS,
    "one": theme.PLAIN[0],
    "two": theme.PLAIN[2],
    "three": theme.PLAIN[1],
    "ring": theme.ACCENT,
}
OF_STAGE = ("decode.js", "map.js")  # The Depth stage decodes arrays and draws maps with them.
SCRIPTS = ("make.js", "text.js", "charts.js", "by_hand.js", "pictures.js", "lesson.js", "file.js")
STYLE = BROWSER / "lesson.css"


def scripts() -> str:
    """The scripts as one text, which defines ``LessonPlayer`` and ``lessonFile`` and no other name."""
    files = [*(stage.BROWSER / name for name in OF_STAGE), *(BROWSER / name for name in SCRIPTS)]
    inner = "\n".join(file.read_text(encoding="utf-8") for file in files)
    names = "{ LessonPlayer, lessonFile }"
    return f"const {names} = (() => {{\n{inner}\nreturn {names};\n}})();"
