"""Names, titles and values from files as text of a chart: they are shown as they stand.

Plotly reads a subset of HTML in every label (``<b>``, ``<a href>``, ``&lt;``), replaces ``%{...}`` in
hover templates, and sets what stands between two ``$`` as a formula where MathJax is loaded.
"""

from __future__ import annotations

from rednd_core.plots import theme

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})


def literal(text: object) -> str:
    """``text`` on one line, so that Plotly shows every character of it, also within a hover template.

    To be called exactly once on every name that a user or a file chose, where the label is made.
    Quotes stay: Plotly knows no ``&quot;`` and would show it as it stands.
    """
    line = " ".join(str(text).split())
    return line.translate(_ENTITIES).replace("%{", "&#37;{")


def shortened(text: object, most: int = 40) -> str:
    """:func:`literal` of at most ``most`` characters; a longer text ends in an ellipsis."""
    line = " ".join(str(text).split())
    return literal(line if len(line) <= most else line[: most - 1].rstrip() + "…")


def literal_lines(text: object) -> str:
    """``text`` as :func:`literal` shows it, and a line break for every ``"\\n"``."""
    return "<br>".join(literal(line) for line in str(text).split("\n"))


def heading(title: str, *lines: str) -> str:
    """A bold title with smaller lines below it, of texts that are literal already."""
    small = (f"<span style='font-size:{theme.TICK_SIZE}px'>{line}</span>" for line in lines)
    return "<br>".join([f"<b>{title}</b>", *small])
