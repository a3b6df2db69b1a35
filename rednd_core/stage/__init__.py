"""The Depth stage: every depth of one or two runs in one picture that a browser moves by itself.

The arrays of a run become a :class:`~rednd_core.stage.contents.StageRun`, one or two of them become a
payload of plain JSON, and the scripts in ``browser/`` draw it: a map of the nodes, lines of the measures,
and one user's list, all at the depth of one slider, without asking the server again.
"""

from pathlib import Path

BROWSER = Path(__file__).parent / "browser"
SCRIPTS = ("decode.js", "map.js", "lines.js", "lists.js", "stage.js")
STYLE = BROWSER / "stage.css"


def scripts() -> str:
    """The scripts as one text. It defines the class ``Stage`` and exports nothing."""
    return "\n".join((BROWSER / name).read_text(encoding="utf-8") for name in SCRIPTS)
