"""The search over Arrow columns finds what a loop over casefolded strings finds, in its order."""

from __future__ import annotations

import pyarrow as pa
import pytest

from rednd_core.data.search import TextIndex

TITLES = ["Red Kettle", "STRASSE", "Straße", "red mug", "", "İstanbul mug", "50% (off)*", "Kettle"]
IDS = ["r1", "R1", "ß", "mug", "red", "007", "7", "SS"]


def naive(text: str) -> list[int]:
    lines = [f"{title}\n{of}".casefold() for title, of in zip(TITLES, IDS, strict=True)]
    found = [
        row for row, line in enumerate(lines) if all(w in line for w in text.casefold().split())
    ]
    exact = [row for row in found if IDS[row].casefold() == text.casefold()]
    return exact + [row for row in found if row not in exact]


@pytest.mark.parametrize(
    "text", ["red", "RED mug", "strasse", "ß", "ss", "i̇", "7", "r1", "%", "(off)*", ".", "", "zzz"]
)
def test_finds_what_a_loop_finds(text: str) -> None:
    index = TextIndex.of(pa.chunked_array([IDS[:3], IDS[3:]]), pa.chunked_array([TITLES]))
    assert index.search(text).tolist() == naive(text)


def test_plain_text_needs_no_python_string(monkeypatch) -> None:
    def refuse(*args: object) -> None:
        pytest.fail("made Python strings")

    monkeypatch.setattr("rednd_core.data.search.str", refuse, raising=False)
    index = TextIndex.of(pa.chunked_array([["A1", "b2"]]), pa.chunked_array([["One", "Two"]]))
    assert index.search("one a1").tolist() == [0]
