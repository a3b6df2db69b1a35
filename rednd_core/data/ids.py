"""Original ids. Where they are the numbers 0..n-1 they are made when asked for, never held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike, DTypeLike, NDArray

_BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class NumberIds:
    """The ids ``"0" .. str(n - 1)``; reads like the object array of these strings, (n,).

    A million strings take 60 MB and a third of a second; this takes neither until they are shown.
    """

    n: int

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> str: ...
    @overload
    def __getitem__(self, index: slice | NDArray[Any] | Sequence[int]) -> NDArray[np.object_]: ...
    def __getitem__(self, index: Any) -> str | NDArray[np.object_]:
        """As NumPy: a number, slice, mask or array of numbers, counted from the end below 0.

        Raises:
            IndexError: outside -n..n-1, or a mask of another length.
        """
        if isinstance(index, slice):
            return _spelled(np.arange(*index.indices(self.n)))
        rows = np.asarray(index)
        if rows.dtype == bool:
            if rows.shape != (self.n,):
                raise IndexError(f"a mask of shape {rows.shape} for {self.n} ids")
            return _spelled(np.flatnonzero(rows))
        if rows.size == 0:
            return np.empty(rows.shape, dtype=object)
        if rows.dtype.kind not in "iu":
            raise IndexError(f"ids are indexed by whole numbers, not by {rows.dtype}")
        if int(rows.min()) < -self.n or int(rows.max()) >= self.n:
            raise IndexError(f"an index outside 0..{self.n - 1}")
        rows = rows.astype(np.int64)
        rows = np.where(rows < 0, rows + self.n, rows)
        return str(int(rows)) if rows.ndim == 0 else _spelled(rows)

    def __iter__(self) -> Iterator[str]:
        return map(str, range(self.n))

    def __contains__(self, text: object) -> bool:
        return self.number(text) is not None

    def __eq__(self, other: object) -> NDArray[np.bool_]:  # type: ignore[override]
        """Element by element, as NumPy does; comparing with one id spells none."""
        if not isinstance(other, str):
            return np.asarray(np.asarray(self) == other)
        equal = np.zeros(self.n, dtype=bool)
        if (number := self.number(other)) is not None:
            equal[number] = True
        return equal

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        spelled = self[:]
        return spelled if dtype is None else spelled.astype(dtype)

    def tolist(self) -> list[str]:
        return list(self)

    def astype(self, dtype: DTypeLike) -> NDArray[Any]:
        return np.asarray(self).astype(dtype)

    def number(self, text: object) -> int | None:
        """The dense id that ``text`` spells, None where it is none of these ids."""
        if not (isinstance(text, str) and text.isascii() and text.isdecimal()):
            return None
        if len(text) > len(str(self.n)) or (text[0] == "0" and text != "0"):
            return None
        return number if (number := int(text)) < self.n else None


IdArray: TypeAlias = NDArray[np.object_] | NumberIds
"""Original ids as strings, indexed by dense id, (n,)."""


def id_column(ids: IdArray) -> pd.Series:
    """Ids as a column of strings, without a Python object an id where they are numbers."""
    if isinstance(ids, NumberIds):
        return pd.Series(pa.array(np.arange(ids.n)).cast(pa.string()).to_pandas())
    return pd.Series(ids.astype(str))


def id_lookup(ids: IdArray) -> Callable[[str], int | None]:
    """A function from an original id to the dense one, None where it is none of ``ids``."""
    if isinstance(ids, NumberIds):
        return ids.number
    return {str(each): row for row, each in enumerate(ids)}.get


def json_blocks(ids: IdArray) -> Iterator[bytes]:
    """The bytes of ``json.dumps(ids.tolist())`` in pieces."""
    yield b"["
    for start in range(0, len(ids), _BLOCK):
        piece = json.dumps(ids[start : start + _BLOCK].tolist())[1:-1]
        yield (", " if start else "").encode() + piece.encode()
    yield b"]"


def _spelled(numbers: ArrayLike) -> NDArray[np.object_]:
    flat = np.asarray(numbers, dtype=np.int64)
    strings = pa.array(flat.ravel()).cast(pa.string()).to_numpy(zero_copy_only=False)
    return np.asarray(strings, dtype=object).reshape(flat.shape)
