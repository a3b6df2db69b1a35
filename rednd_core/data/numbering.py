"""Ids are labels: dense numbers inside, the labels of the file outside, in an order that content decides.

Whole numbers are ordered by value, all other labels by their letters; so neither the order of rows nor
that of files changes what is trained.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rednd_core.data.ids import IdArray, NumberIds
from rednd_core.data.schema import IntArray, Notice
from rednd_core.data.tables import listing

WHOLE = "^(0|[1-9][0-9]{0,17})$"
"""Labels that are one number in one spelling; ``007`` and ``7`` are two labels."""
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0x034F, 0x180E, 0x2060, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F)]
)


@dataclass(frozen=True)
class IdColumn:
    """One column of ids.

    Attributes:
        codes: (n,) the rows' labels, as places in ``labels``; without ``labels`` the ids themselves.
        labels: distinct labels in order of appearance; None where all are whole numbers from 0.
    """

    codes: IntArray | NDArray[np.int32]
    labels: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.bool_] | IntArray) -> IdColumn:
        """The column of some rows."""
        return IdColumn(self.codes[rows], self.labels)

    def distinct(self) -> list[str]:
        """The labels that rows have."""
        if self.labels is None:
            return [str(number) for number in np.unique(self.codes)]
        return [str(label) for label in self.labels[np.unique(self.codes)]]

    def spelled(self, rows: slice | IntArray) -> list[str]:
        """The labels of some rows."""
        codes = self.codes[rows]
        return [str(code) if self.labels is None else str(self.labels[code]) for code in codes]


def as_numbers(column: IdColumn) -> IdColumn:
    """The column without labels where all of them are whole numbers."""
    if column.labels is None or len(column.labels) == 0:
        return column
    labels = pa.array(column.labels, pa.string())
    if not pc.all(pc.match_substring_regex(labels, WHOLE)).as_py():
        return column
    return IdColumn(pc.cast(labels, pa.int64()).to_numpy()[column.codes])


def by_content(
    column: IdColumn, more: Sequence[str] | int = 0
) -> tuple[NDArray[np.int32], IdArray]:
    """Dense ids of the rows, (n,) int32, and the labels by dense id.

    Args:
        more: further ids that exist without a row: labels, or how many numbers from 0.
    """
    column = as_numbers(column)
    if column.labels is None:
        if isinstance(more, int):
            return _numbers(column.codes, more)
        further = as_numbers(IdColumn(np.arange(len(more)), np.asarray(more, dtype=object)))
        if further.labels is None:
            dense, ids = _numbers(np.concatenate([column.codes, further.codes]), 0)
            return dense[: len(column)], ids
    labels, codes = _labelled(column)
    used = np.zeros(len(labels), dtype=bool)
    used[codes] = True
    further_labels = map(str, range(more)) if isinstance(more, int) else more
    ordered = sorted({*labels[used], *further_labels})
    place = {label: number for number, label in enumerate(ordered)}
    dense_of = np.asarray([place.get(label, -1) for label in labels], dtype=np.int32)
    return dense_of[codes], np.asarray(ordered, dtype=object)


def by_number(column: IdColumn, least: int = 0) -> tuple[NDArray[np.int32], IdArray]:
    """The numbering of runs made before ids were labels: a number is its own dense id."""
    numbers = as_numbers(column).codes
    return numbers.astype(np.int32), NumberIds(max(int(numbers.max()) + 1, least))


def by_appearance(column: IdColumn, first: Sequence[str] = ()) -> tuple[NDArray[np.int32], IdArray]:
    """The numbering of runs on CSV made before ids were labels: those of ``first``, then as they come."""
    labels, codes = _labelled(column)
    earliest = np.full(len(labels), len(codes), dtype=np.int64)
    np.minimum.at(earliest, codes, np.arange(len(codes)))
    place = {label: number for number, label in enumerate(first)}
    for code in np.argsort(earliest, kind="stable"):
        if earliest[code] < len(codes):
            place.setdefault(str(labels[code]), len(place))
    dense_of = np.asarray([place.get(str(label), -1) for label in labels], dtype=np.int32)
    return dense_of[codes], np.asarray(list(place), dtype=object)


def lookalikes(column: IdColumn, kind: str) -> Notice | None:
    """A notice where ids differ by nothing that one sees: zero-width letters, other code points."""
    if column.labels is None:
        return None
    odd = column.labels[
        ~pc.string_is_ascii(pa.array(column.labels, pa.string())).to_numpy(zero_copy_only=False)
    ]
    if not len(odd):
        return None
    plain = {_seen(label): label for label in column.labels if label.isascii()}
    groups: dict[str, list[str]] = {}
    for label in map(str, odd):
        seen = _seen(label)
        groups.setdefault(seen, [plain[seen]] if seen in plain else []).append(label)
    alike = [labels for labels in groups.values() if len(labels) > 1]
    if not alike:
        return None
    examples = listing((" and ".join(map(ascii, labels[:2])) for labels in alike), most=2)
    message = (
        f"{len(alike):,} {kind} ids are written in several ways that look the same, and count as "
        f"different {kind}s: {examples}. Write each in one way."
    )
    return Notice("lookalike_ids", len(alike), message)


def _labelled(column: IdColumn) -> tuple[NDArray[np.object_], IntArray | NDArray[np.int32]]:
    """The distinct labels of a column, and the rows' places among them."""
    if column.labels is not None:
        return column.labels, column.codes
    numbers, codes = np.unique(column.codes, return_inverse=True)
    return np.asarray([str(number) for number in numbers], dtype=object), codes


def _seen(label: str) -> str:
    """What one sees of a label."""
    return unicodedata.normalize("NFC", str(label).translate(_INVISIBLE))


def _numbers(
    numbers: IntArray | NDArray[np.int32], least: int
) -> tuple[NDArray[np.int32], IdArray]:
    largest = int(numbers.max()) if len(numbers) else -1
    n = max(largest + 1, least)
    if n <= 4 * len(numbers) + least + 1_000_000:  # flags are quicker than a sort, and small
        present = np.zeros(n, dtype=bool)
        present[numbers] = True
        present[:least] = True
        if present.all():
            return numbers.astype(np.int32, copy=False), NumberIds(n)
        ids = np.flatnonzero(present)
        dense = (np.cumsum(present) - 1).astype(np.int32)[numbers]
    else:
        both = np.concatenate([numbers, np.arange(least)])
        ids, places = np.unique(both, return_inverse=True)
        dense = places[: len(numbers)].astype(np.int32)
    return dense, np.asarray([str(number) for number in ids], dtype=object)
