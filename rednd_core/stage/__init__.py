"""The Depth stage: all steps of one or two runs in one picture that a browser moves by itself.

A step is a depth, or an epoch at one depth. The arrays of a run become a
:class:`~rednd_core.stage.contents.StageRun`, one or two of them become a payload of plain JSON, and the
scripts in ``browser/`` draw it: a map of the nodes, lines of the measures, and one user's list, all at the
step of one slider, without asking the server again.
"""

from pathlib import Path

from rednd_core.plots import theme

BROWSER = Path(__file__).parent / "browser"
HIT = "#2F8F57"  # around items that the user chose; 4:1 on a light and on a dark page
COLORS = {"users": theme.USERS, "items": theme.ITEMS, "accent": theme.ACCENT, "hit": HIT}
SCRIPTS = (
    "decode.js",
    "words.js",
    "map.js",
    "lines.js",
    "lists.js",
    "differences.js",
    "stage.js",
)
STYLE = BROWSER / "stage.css"


def scripts() -> str:
    """The scripts as one text. It defines the class ``Stage`` and exports nothing."""
    return "\n".join((BROWSER / name).read_text(encoding="utf-8") for name in SCRIPTS)
