"""Text from files, shown as it stands."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=\"'@/])")
_COLON = re.compile(r":(?=[\w+/-])")
WORD_JOINER = "\u2060"


def escape_markdown(text: str) -> str:
    """``text`` for any Markdown of Streamlit (labels too) so that it reads literally, on one line.

    Emoji, icons (``:material/home:``) and bare web addresses are recognised after escapes are
    resolved; an invisible word joiner after the colon stops that.
    """
    return _SPECIAL.sub(r"\\\1", _COLON.sub(":" + WORD_JOINER, " ".join(text.split())))
