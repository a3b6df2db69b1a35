"""Every matrix in files of unknown origin: arrays, tensors, and tables with a column of ids.

The files are read by a confined process, which writes what it found as plain arrays; nothing is unpickled.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from rednd_core import confined
from rednd_core.data.schema import FloatArray
from rednd_core.data.tables import listing, no_foreign_errors, require_readable, shorten
from rednd_core.errors import CheckpointError, DataError
from rednd_core.foreign.files import STATE_DICTS, SUFFIXES, TABLES
from rednd_core.runs import CHECKPOINT_FORMAT

if TYPE_CHECKING:
    import pandas as pd

SECONDS = 600.0
MEMORY_SHARE = 0.6
"""Of the memory that is free now."""
MOST_TABLES = 512
MAX_VALUE = 1e16
"""As for features: the square of a larger number would leave float32."""
KINDS = ("user", "item")


@dataclass(frozen=True, eq=False)
class FoundTable:
    """One matrix of a file.

    Attributes:
        name: as the file calls it, e.g. ``"user_embedding.weight"``.
        values: (rows, d) float32.
        ids: the original id of every row, where the file has them.
    """

    name: str
    values: FloatArray
    ids: tuple[str, ...] | None = None


@contextmanager
def read_tables(paths: Sequence[Path]) -> Iterator[list[FoundTable]]:
    """All matrices of some files, memory-mapped while the block lasts.

    Raises:
        CheckpointError: a file that is no such file, that would have to be unpickled, or that has no matrix.
    """
    with tempfile.TemporaryDirectory(prefix="rednd-vectors-") as folder:
        sources = json.dumps([str(path) for path in paths])
        try:
            told = confined.run(
                f"{__name__}:extract",
                sources,
                folder,
                what="the file of vectors",
                seconds=SECONDS,
                memory_bytes=int(MEMORY_SHARE * psutil.virtual_memory().available),
            )
        except DataError as error:
            raise CheckpointError(
                expected=error.expected, found=error.found, remedy=error.remedy
            ) from None
        yield [_opened(Path(folder), number, entry) for number, entry in enumerate(told)]


def _opened(folder: Path, number: int, entry: Mapping[str, Any]) -> FoundTable:
    values = np.load(folder / f"{number}.npy", mmap_mode="r", allow_pickle=False)
    if not entry["has_ids"]:
        return FoundTable(entry["name"], values)
    ids = json.loads((folder / f"{number}.json").read_bytes())
    return FoundTable(entry["name"], values, tuple(map(str, ids)))


def extract(sources: str, folder: str) -> list[dict[str, Any]]:
    """Write every matrix of the files ``sources`` into ``folder``; a confined process does this.

    Returns:
        For matrix number k, which is ``k.npy``: its name, and whether ``k.json`` has the ids of its rows.
    """
    paths = [Path(path) for path in json.loads(sources)]
    found: list[dict[str, Any]] = []
    for path in paths:
        for name, values, ids in _contents(path):
            if len(found) == MOST_TABLES:
                raise CheckpointError(
                    expected=f"at most {MOST_TABLES} matrices",
                    found="more",
                    remedy="save the vectors of users and items alone",
                )
            place = Path(folder) / str(len(found))
            np.save(f"{place}.npy", _checked(name, values), allow_pickle=False)
            if ids is not None:
                Path(f"{place}.json").write_text(json.dumps(list(ids)))
            found.append({"name": name, "has_ids": ids is not None})
    if not found:
        raise CheckpointError(
            expected=f"matrices of numbers, a row a user or item, in {listing(p.name for p in paths)}",
            found="none",
            remedy="save the vectors as matrices",
        )
    return found


Content = tuple[str, "np.ndarray", Sequence[str] | None]


def _contents(path: Path) -> Iterator[Content]:
    """Name, values and ids of each matrix of a file."""
    require_readable(path)
    suffix = path.suffix.lower()
    if suffix in STATE_DICTS:
        from rednd_core.foreign.state_dicts import read_state_dict

        tensors = read_state_dict(path)
    elif suffix in TABLES:
        yield from _of_table(path)
        return
    elif suffix in (".npy", ".npz"):
        tensors = _numpy_arrays(path)
    elif suffix == ".safetensors":
        tensors = _safetensors(path)
    else:
        raise CheckpointError(
            expected=f"files that end in {listing(SUFFIXES, most=len(SUFFIXES))}",
            found=shorten(path.name, 60),
            remedy="save the vectors in one of these forms",
        )
    ids = {name: values for name, values in tensors.items() if _are_ids(name, values)}
    for name, values in tensors.items():
        if values.ndim == 2 and values.dtype.kind in "fiu" and 0 not in values.shape:
            side = next((kind for kind in KINDS if kind in name.lower()), None)
            own = next((v for n, v in ids.items() if side and side in n.lower()), None)
            fits = own is not None and len(own) == len(values)
            yield (
                name,
                values,
                [_spelled(each) for each in own] if fits and own is not None else None,
            )


def _are_ids(name: str, values: np.ndarray) -> bool:
    return values.ndim == 1 and values.dtype.kind in "iuSU" and "id" in name.lower()


def _spelled(each: Any) -> str:
    return each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each)


def _numpy_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz by their keys; a .npy is called like its file."""
    try:
        with path.open("rb") as file:
            is_pickle = file.read(1) == b"\x80"
        if is_pickle:
            raise ValueError("object arrays")
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {path.stem: loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except Exception as error:  # the readers raise whatever the junk provokes
        pickled = "pickle" in str(error) or "object arrays" in str(error).lower()
        raise CheckpointError(
            expected=f"plain NumPy arrays in {path.name}",
            found="pickled Python objects, which are never opened"
            if pickled
            else f"a damaged file ({shorten(str(error).splitlines()[0] if str(error) else '', 100)})",
            remedy="write it again with numpy.save and a float32 array",
        ) from None


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            expected=f"a whole safetensors file {path.name}",
            found=shorten(str(error).splitlines()[0], 200),
            remedy="write it again",
        ) from None
    if metadata.get("format") == CHECKPOINT_FORMAT:
        raise CheckpointError(
            expected="the config.json of the checkpoint's run",
            found=f"{path.name} alone, which this project has saved",
            remedy="add --config config.json",
        )
    return {
        name: (each.float() if each.is_floating_point() else each).numpy()
        for name, each in tensors.items()
    }


def _of_table(path: Path) -> Iterator[Content]:
    """The matrices of a table with a column of ids: users and items apart where a column ``kind`` says so."""
    frame = _read_frame(path)
    names = {str(name).strip().lower(): name for name in frame.columns}
    key = next((names[name] for name in ID_COLUMNS if name in names), None)
    if key is None:
        raise CheckpointError(
            expected=f"a column of ids in {path.name}, called id, user_id or item_id",
            found=f"the columns {listing(map(str, frame.columns))}",
            remedy="name the column of ids",
        )
    kind = names.get("kind")
    numbers = frame.drop(columns=[key, *([kind] if kind is not None else [])])
    numbers = numbers.select_dtypes("number")
    if numbers.shape[1] == 0:
        raise CheckpointError(
            expected=f"columns of numbers in {path.name}",
            found=f"the columns {listing(map(str, frame.columns))}",
            remedy="write one column for each number of a vector",
        )
    if kind is None:
        yield _named(path.stem, str(key)), numbers.to_numpy(), frame[key].astype(str).tolist()
        return
    for side in KINDS:
        rows = (frame[kind].astype(str) == side).to_numpy()
        if rows.any():
            ids = frame[key][rows].astype(str).tolist()
            yield f"{side}s", numbers.to_numpy()[rows], ids


ID_COLUMNS = (
    "id", "user_id", "item_id", "userid", "itemid", "user", "item", "uid", "iid", "asin", "movieid",
)  # fmt: skip


def _named(stem: str, key: str) -> str:
    """The name of a table: its file's, with the side that only the column of ids says."""
    has_side = any(kind in stem.lower() for kind in KINDS)
    side = next((kind for kind in KINDS if kind in key.lower()), None)
    return stem if has_side or side is None else f"{side}_{stem}"


def _read_frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    with no_foreign_errors(path.name):
        if path.suffix.lower() in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        elif path.suffix.lower() == ".feather":
            frame = pd.read_feather(path)
        else:
            separator = "\t" if path.suffix.lower() == ".tsv" else ","
            header = pd.read_csv(path, sep=separator, nrows=0, encoding="utf-8-sig").columns
            ids = {name: str for name in header if str(name).strip().lower() in ID_COLUMNS}
            frame = pd.read_csv(
                path, sep=separator, encoding="utf-8-sig", dtype=ids, keep_default_na=False
            )
    lists = [name for name in frame if _holds_lists(frame[name])]
    for name in lists:  # a vector in one cell, as many programs write Parquet
        with no_foreign_errors(path.name):
            wide = pd.DataFrame(np.stack(frame[name].tolist()), index=frame.index)
        frame = frame.drop(columns=name).join(wide.add_prefix("v"))
    return frame


def _holds_lists(column: pd.Series) -> bool:
    return len(column) > 0 and isinstance(column.iloc[0], np.ndarray | list)


def _checked(name: str, values: np.ndarray) -> FloatArray:
    """(rows, d) float32, finite and bounded."""
    with np.errstate(over="ignore"):
        plain = np.asarray(values, dtype=np.float32, order="C")
    usable = np.abs(plain) <= MAX_VALUE
    if not usable.all():
        rows = np.flatnonzero(~usable.all(axis=1))
        raise CheckpointError(
            expected=f"finite numbers up to {MAX_VALUE:g} in {shorten(name, 80)}",
            found=f"others in {len(rows):,} of {len(plain):,} rows (the first is row {rows[0]})",
            remedy="choose an earlier checkpoint, or leave these rows out",
        )
    return plain
