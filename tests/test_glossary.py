"""Definitions of terms are those of the document, without its marks."""

from __future__ import annotations

import pytest

from rednd_core.errors import ConfigError
from rednd_core.glossary import definition, definitions_in, glossary


def test_a_term_has_the_paragraph_that_defines_it() -> None:
    assert definition("Cold user") == "Cold user: a user with at most five train interactions."
    assert definition("ego embedding") == definition("Layer k")
    assert all("**" not in text and "\n" not in text for text in glossary().values())


def test_marked_terms_are_found_and_unknown_ones_named() -> None:
    found = definitions_in(["a [[MAD]]", "of [[Cold users|cold user]], [[0.1, 0.2]"])
    assert list(found) == ["mad", "cold user"]
    with pytest.raises(ConfigError, match="colt user"):
        definitions_in(["[[colt user]]"])
