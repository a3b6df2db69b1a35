"""The field's terms with their definitions, as docs/glossary.md has them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import unknown_name

SOURCE = PROJECT_ROOT / "docs" / "glossary.md"


@cache
def glossary() -> dict[str, str]:
    """Term in small letters -> the paragraph that defines it, without Markdown."""
    found: dict[str, str] = {}
    for paragraph in SOURCE.read_text(encoding="utf-8").split("\n\n"):
        terms = re.findall(r"\*\*(.+?)\*\*", paragraph, re.DOTALL)
        text = " ".join(paragraph.replace("**", "").split())
        for term in terms:
            found.setdefault(" ".join(term.lower().split()), text)
    return found


def definition(term: str) -> str:
    """What a term means, e.g. for a tooltip.

    Raises:
        ConfigError: the glossary does not have the term.
    """
    if term.lower() not in glossary():
        raise unknown_name("term", term, glossary())
    return glossary()[term.lower()]


def definitions_in(texts: Iterable[str]) -> dict[str, str]:
    """The definitions of all terms that are marked as ``[[term]]`` or ``[[words|term]]`` in some texts.

    Raises:
        ConfigError: the glossary does not have one of them.
    """
    marked = [term for text in texts for term in re.findall(r"\[\[(?:[^|\]]*\|)?(.*?)\]\]", text)]
    return {term.lower(): definition(term) for term in marked}
