"""Tables that a command writes to a file, whole or not at all: CSV for people, Parquet for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rednd_core.atomic import write_bytes, write_parquet
from rednd_core.errors import ConfigError
from rednd_core.spreadsheets import to_csv
from rednd_core.writable import require_output

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".parquet")


def require_table(out: Path) -> None:
    """Refuse a file of another kind, or one that cannot be written, before the table is made.

    Raises:
        ConfigError: either.
    """
    if out.suffix.lower() not in ENDINGS:
        raise ConfigError(
            expected="an output file ending in .csv or .parquet",
            found=out.name,
            remedy="choose one of these endings",
        )
    require_output(out)


def write_table(out: Path, frame: pd.DataFrame) -> None:
    """Replace ``out`` with ``frame``, without its index."""
    if out.suffix.lower() == ".csv":
        write_bytes(out, to_csv(frame).encode())
    else:
        write_parquet(out, frame)
