"""Text of charts: what a browser would show is what the file said."""

import html
import re

import pytest

from rednd_core.plots.text import literal, literal_lines

HOSTILE = [
    "<b>Mug</b>",
    '<a href="https://example.org">Mug</a>',
    "<span style='color:red'>Mug</span>",
    "A &lt; B &amp; C",
    "100 %{x}",
    "%{customdata[0]}",
    "$\\alpha$ to $\\omega$",
    "![x](https://example.org/x.png)",
    "=cmd|' /C calc'!A0",
    "<br>",
    "a<sub>2</sub>",
    "“quotes” \"and\" 'more'",
    "<extra></extra>",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_text_is_shown_as_it_stands(name):
    shown = literal(name)
    # Nothing that Plotly looks for is left: its patterns for tags, templates and formulas.
    assert not re.search(r"<[^<>]*>", shown)
    assert not re.search(r"%\{", shown)
    assert not re.search(r"\$+[^$]*\$+", shown)
    assert html.unescape(shown) == name  # entities are all that was put in


def test_quotes_stay_as_plotly_knows_no_entity_for_them():
    assert literal('"Bob\'s"') == '"Bob\'s"'


def test_a_title_of_several_lines_stays_on_one():
    assert literal(" a\r\n b\t<br> c ") == "a b &lt;br&gt; c"


def test_line_breaks_where_they_are_asked_for():
    assert literal_lines("Tea & co\nitem <7>") == "Tea &amp; co<br>item &lt;7&gt;"


def test_values_of_any_type_are_text():
    assert [literal(value) for value in (7, None, 0.5)] == ["7", "None", "0.5"]
