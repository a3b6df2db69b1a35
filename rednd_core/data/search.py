"""Searching names and ids on the server, as Arrow columns: no Python object a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TextIndex:
    """What can be found, with case folded.

    Attributes:
        ids: (n,) original ids. lines: (n,) all that is searched, ids included.
    """

    ids: pa.ChunkedArray
    lines: pa.ChunkedArray

    @classmethod
    def of(cls, ids: pa.ChunkedArray, titles: pa.ChunkedArray) -> TextIndex:
        """Rows that are found by their id and by their title, (n,) each."""
        return cls(_folded(ids), _folded(_joined([titles, ids])))

    def search(self, text: str) -> NDArray[np.int64]:
        """Rows whose line contains every word of ``text``, ascending, exact ids first."""
        found = np.ones(len(self.lines), dtype=bool)
        for word in text.casefold().split():
            found &= pc.match_substring(self.lines, word).to_numpy()
        exact = found & pc.equal(self.ids, text.casefold()).to_numpy()
        return np.concatenate([np.flatnonzero(exact), np.flatnonzero(found & ~exact)])


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(*columns, pa.scalar("\n", columns[0].type))


def _folded(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """``str.casefold`` of every text; only those beyond ASCII become Python strings on the way."""
    plain = pc.string_is_ascii(texts)
    if pc.all(plain).as_py() is not False:
        return pc.ascii_lower(texts)
    odd = [str(text).casefold() for text in texts.filter(pc.invert(plain)).to_pylist()]
    lower = pc.utf8_lower(texts).combine_chunks()
    mask = pc.invert(plain).combine_chunks()
    return pa.chunked_array([pc.replace_with_mask(lower, mask, pa.array(odd, type=texts.type))])
