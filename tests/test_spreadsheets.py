from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd
import pytest

from rednd_core.config import PROJECT_ROOT
from rednd_core.spreadsheets import as_text, to_csv, without_formulas

FORMULAS = [
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd",
    "+1+1",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "=",
    "-",
    "\uff1d1+1",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_becomes_text(cell: str) -> None:
    assert as_text(cell) == "'" + cell


@pytest.mark.parametrize(
    "cell", ["a=b", "17", "-5", "+1.5e-3", "-.5", "", "user-1", "'=1", "é", None, 3.0]
)
def test_other_cells_stay(cell: object) -> None:
    assert as_text(cell) == cell


def test_every_text_of_a_table_and_no_number() -> None:
    kinds = pd.Categorical(["=1+1", "b"])
    frame = pd.DataFrame(
        {
            "=id": ["-7", "@a"],
            "kind": kinds,
            "score": [-1.5, np.nan],
            "n": [-1, 2],
            "on": [True, False],
        }
    )
    table = pd.concat([frame, frame[["kind"]]], axis=1)
    read = pd.read_csv(io.StringIO(to_csv(table)), header=None, dtype=str).to_numpy().tolist()
    assert read[0] == ["'=id", "kind", "score", "n", "on", "kind"]
    assert read[1] == ["-7", "'=1+1", "-1.5", "-1", "True", "'=1+1"]
    assert read[2][0] == "'@a"
    assert list(frame["kind"]) == ["=1+1", "b"], "the table itself is as it was"


def test_headings_and_cells_of_a_shown_table_and_not_the_table_itself() -> None:
    frame = pd.DataFrame({"=1+1": ["@SUM(1)", "plain"], "n": [-1, 2]})
    shown = without_formulas(frame)
    assert list(shown.columns) == ["'=1+1", "n"]
    assert shown["'=1+1"].tolist() == ["'@SUM(1)", "plain"]
    assert shown["n"].tolist() == [-1, 2]
    assert frame["=1+1"].tolist() == ["@SUM(1)", "plain"]


OWN_WORDS = {
    "app/smoothness/parts.py",  # names of runs and measures, numbers
    "app/data/view.py: table",  # names of modalities, numbers
    "app/embeddings/node_card.py",  # a number before each title
}


def test_the_browser_downloads_no_formula_from_a_table_on_a_page() -> None:
    """Each table on a page holds no formula, or none of its words comes from a data set."""
    found = set()
    for path in sorted((PROJECT_ROOT / "app").rglob("*.py")):
        for shown in re.findall(r"st\.dataframe\(\s*([\w.]+)", path.read_text("utf-8")):
            name = path.relative_to(PROJECT_ROOT).as_posix()
            if shown != "without_formulas" and name not in OWN_WORDS:
                found.add(f"{name}: {shown}")
    assert found <= OWN_WORDS
