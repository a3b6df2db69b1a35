"""per_user.parquet: one row a user and split: ``user`` (dense id), ``user_id`` (the original one, not in runs
from before), ``split``, and numeric metric columns.

It travels between machines as per_user.csv: a damaged or hostile parquet file can abort the whole
process inside its C++ reader, so a foreign one is never opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rednd_core.atomic import write_parquet
from rednd_core.bounded import open_plain, require_plain
from rednd_core.errors import RunError

if TYPE_CHECKING:
    import pandas as pd

SPLITS = frozenset({"valid", "test"})
TEXTS = frozenset({"split", "user_id"})
MAX_HEADER_BYTES = 4_000


def write_per_user(path: Path, frame: pd.DataFrame) -> None:
    """Replace ``path`` by ``frame``; other columns or splits than those above are a RunError."""
    from pandas.api.types import is_integer_dtype, is_numeric_dtype

    kinds = frame.dtypes.to_dict()
    if not (
        frame.columns.is_unique
        and is_integer_dtype(kinds.get("user", object))
        and "split" in kinds
        and set(frame["split"].unique()) <= SPLITS
        and all(is_numeric_dtype(kind) for name, kind in kinds.items() if name not in TEXTS)
    ):
        raise _misfit(", ".join(f"{name} ({kind})" for name, kind in frame.dtypes.items()))
    write_parquet(path, frame)


def read_per_user(path: Path) -> pd.DataFrame:
    """The table in ``path``, which this module wrote."""
    import pandas as pd
    import pyarrow as pa

    try:
        require_plain(path)
        return pd.read_parquet(path)
    except (OSError, pa.ArrowException) as error:
        raise _misfit(str(error)) from None


def read_foreign_csv(path: Path, n_users: int) -> pd.DataFrame:
    """A per_user.csv of unknown origin, with at most two rows for each of ``n_users``.

    Metrics may differ from those that were exported in their last bit.
    """
    import pandas as pd

    with open_plain(path) as file:
        header = file.readline(MAX_HEADER_BYTES).rstrip(b"\r\n").decode("ascii", "replace")
    names = header.split(",")
    if (
        len(names) != len(set(names))
        or len(header) == MAX_HEADER_BYTES
        or not {"user", "split"} <= {*names}
    ):
        raise _misfit(f"the columns {header[:200]!r}")
    types = dict.fromkeys(names, "float64") | {"user": "int64", "split": "str"}
    empty = {name: ["", "nan"] for name in names if name not in TEXTS}
    if "user_id" in names:
        types["user_id"] = "str"
    try:
        frame = pd.read_csv(
            path,
            names=names,
            skiprows=1,
            dtype=types,
            index_col=False,
            keep_default_na=False,  # "NA" may be the id of a user
            na_values=empty,
            nrows=2 * n_users + 1,
        )
    except (ValueError, OverflowError) as error:
        raise _misfit(str(error)) from None
    if len(frame) > 2 * n_users or not frame["user"].between(0, n_users - 1).all():
        raise _misfit(f"{len(frame)} rows or users beyond the {n_users} of config.json")
    return frame


def _misfit(found: str) -> RunError:
    return RunError(
        expected="a per-user table with user (integers), split (valid, test) and numeric metrics",
        found=(found.strip() or "nothing readable").splitlines()[0][:300].rstrip("."),
        remedy="evaluate the run again",
    )
