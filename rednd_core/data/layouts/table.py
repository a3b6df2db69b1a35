"""A table as every reader hands it on: named columns that are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from rednd_core.data.layouts.source import SourceFile


@dataclass(frozen=True)
class Table:
    """One table of a data set.

    Attributes:
        file: where it is.
        form: how it is written, for a sentence: ``"tab-separated text"``.
        names: its columns, as the file calls them; ``column 1``, ... where it has no header.
        read: named columns -> their cells. Text comes dictionary-encoded where ``distinct`` is true.
        has_header: False where the first line is a row.
        roles: role -> column, where the layout itself fixes what a column means.
        said: what was noticed about the form, a sentence each.
    """

    file: SourceFile
    form: str
    names: tuple[str, ...]
    read: Callable[[Sequence[str], bool], pa.Table] = field(repr=False)
    has_header: bool = True
    roles: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
