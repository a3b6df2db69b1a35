"""CSV for people, who open it in a spreadsheet: no cell of a data set becomes a formula there.

A title such as ``=cmd|'/c calc'!A1`` is a command to Excel and LibreOffice. An apostrophe before it
makes it the text that it is. Numbers stay numbers, also those that are written as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FORMULA = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How what a spreadsheet calculates begins; the last four are the same signs at full width."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def as_text(cell: object) -> object:
    """``cell``, with an apostrophe before it where a spreadsheet would take it for a formula."""
    if isinstance(cell, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def to_csv(frame: pd.DataFrame) -> str:
    """``frame`` as CSV without its index; every cell and heading of text goes through :func:`as_text`."""
    return str(without_formulas(frame).to_csv(index=False))


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with every cell and heading of text through :func:`as_text`.

    For a table on a page as well: the browser's own download of a table writes the cells as they are shown.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    safe = frame.copy(deep=False)
    for number, dtype in enumerate(frame.dtypes):
        if not (is_numeric_dtype(dtype) or is_bool_dtype(dtype)):
            cells = frame.iloc[:, number].astype(object)
            safe.isetitem(number, cells.map(as_text).to_numpy())
    safe.columns = [as_text(name) for name in frame.columns]
    return safe
