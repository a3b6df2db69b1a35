"""Item features, one ``<modality>_feat.npy`` a modality, as finite float32; pickles are refused.

Large float32 files stay where they are, memory-mapped; everything is checked in blocks of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa

from rednd_core.config import MODALITY
from rednd_core.data.layouts.source import Source, SourceFile
from rednd_core.data.schema import FloatArray, IntArray, Notice
from rednd_core.data.tables import counted, require_readable
from rednd_core.errors import DataError

_SUFFIX = "_feat.npy"
MAPPED_BYTES = 64 * 2**20
"""Larger float32 arrays are memory-mapped; smaller ones are read, so that the file may change."""

MAX_VALUE = 1e16
"""Larger ones are refused: squared and summed over a row they would leave float32, and the row's length
would be infinite."""

_BLOCK_VALUES = 1 << 22  # checked at a time: 16 MB
RESERVED_MODALITY = "id"
"""What layers of id embeddings are called in models and run folders."""
MODALITY_WANTED = (
    "of up to 64 letters, digits, _ and -, begins with a letter or digit and is not 'id'"
)


@dataclass(frozen=True)
class FeatureTable:
    """The features of one modality.

    Attributes:
        values: (rows, dim) float32, finite, C order; writing to it never reaches the file. Of a large
            float32 file this is a private memory map: replace such a file, do not write into it.
        dtype: what the file holds, e.g. ``"float16"``.
        n_zero_rows: rows that are all zero: their cosine with anything is undefined.
        n_missing_rows: rows of nothing but NaN in the file, which means that the item has no such modality;
            zero in ``values``.
    """

    modality: str
    values: FloatArray
    dtype: str
    n_zero_rows: int
    n_missing_rows: int = 0
    notices: tuple[Notice, ...] = ()


def is_modality(name: str) -> bool:
    """Whether features may be called so."""
    return MODALITY.fullmatch(name) is not None and name.lower() != RESERVED_MODALITY


def require_distinct(names: Sequence[str]) -> None:
    """Refuse modalities whose names differ by case only: their layers would share files.

    Raises:
        DataError: the first two.
    """
    known: dict[str, str] = {}
    for name in names:
        other = known.setdefault(name.lower(), name)
        if other != name:
            raise DataError(
                expected="modalities whose names differ by more than upper and lower case",
                found=f"{other}{_SUFFIX} and {name}{_SUFFIX}",
                remedy="rename one of the files",
            )


def feature_files(source: Source) -> tuple[SourceFile, ...]:
    """The ``<modality>_feat.npy`` files of a data set, sorted: of its archive and of its folder."""
    beside = (p for p in source.folder.glob("*") if p.is_file() and not p.name.startswith("."))
    found = {path.name: SourceFile(path.name, path) for path in beside}
    found |= {file.name: file for file in source.files}
    return tuple(found[name] for name in sorted(found) if name.lower().endswith(_SUFFIX))


def read_features(path: str | Path | SourceFile) -> FeatureTable:
    """Read and validate one feature file, which may be in an archive.

    Raises:
        DataError: not a ``.npy`` array of numbers, not 2-D, NaN, infinite or beyond ``MAX_VALUE``.
    """
    file = path if isinstance(path, SourceFile) else SourceFile(Path(path).name, Path(path))
    modality = file.name[: -len(_SUFFIX)]
    if not is_modality(modality):
        raise DataError(
            expected=f"a file <modality>{_SUFFIX} whose modality is {MODALITY_WANTED}",
            found=file.name,
            remedy="rename the file",
        )
    on_disk = _open_array(file)
    if on_disk.ndim != 2 or 0 in on_disk.shape:
        raise DataError(
            expected=f"a 2-D array (items, dimensions) in {file.name}",
            found=f"the shape {on_disk.shape}",
            remedy="save one row of numbers for every item",
        )
    if on_disk.dtype.kind not in "fiu":
        raise DataError(
            expected=f"real numbers in {file.name}",
            found=f"values of type {on_disk.dtype}",
            remedy="save the features as float32",
        )
    mappable = on_disk.dtype == np.dtype("<f4") and on_disk.flags.c_contiguous
    if mappable and on_disk.nbytes > MAPPED_BYTES:
        values = on_disk
    else:
        with np.errstate(over="ignore"):  # overflow is counted below
            values = np.array(on_disk, dtype=np.float32, order="C")
    missing = _missing_rows(on_disk)
    if len(missing):
        if values is on_disk:  # a private map: the file stays as it is
            values.flags.writeable = True
        values[missing] = 0
    n_zero_rows = _zero_rows_of_finite(on_disk, values, file.name) - len(missing)
    notices = []
    if len(missing):
        message = f"{modality}: {counted(len(missing), 'item')} without it (a row of NaN): taken as zeros."
        notices.append(Notice("missing_features", len(missing), message))
    if on_disk.dtype == np.float16:
        message = (
            f"{modality}: converted {counted(len(values), 'row')} of float16 to float32 "
            "(sums overflow in float16)."
        )
        notices.append(Notice("float16_features", len(values), message))
    if n_zero_rows:
        message = f"{modality}: nothing but zeros in {counted(n_zero_rows, 'row')}."
        notices.append(Notice("zero_features", n_zero_rows, message))
    return FeatureTable(
        modality, values, on_disk.dtype.name, n_zero_rows, len(missing), tuple(notices)
    )


def _open_array(file: SourceFile) -> np.ndarray:
    """Memory-map a plain file: a header that claims more than the file holds allocates nothing."""
    require_readable(file.place)
    packed = file.member is not None or file.place.suffix.lower() == ".gz"
    content = file.content() if packed else None
    try:
        if content is None:
            array = np.load(file.place, mmap_mode="c", allow_pickle=False)
        else:
            array = _of_bytes(content)
    except Exception as error:  # the header parser raises whatever the junk provokes
        # NumPy takes every file that it does not know for a pickle; a real one begins with its protocol.
        is_pickle = file.head(1) == b"\x80"
        reason = str(error).lower()
        if is_pickle or "python objects" in reason or "object arrays" in reason:
            raise DataError(
                expected=f"plain numbers in {file.name}",
                found="pickled Python objects, which can run code when they are read",
                remedy="save the features as a float32 array",
            ) from None
        array = None
    if not isinstance(array, np.ndarray):
        raise DataError(
            expected=f"a complete NumPy array in {file.name}",
            found="a damaged file or another format",
            remedy="write it again with numpy.save",
        )
    return array


def _of_bytes(content: pa.Buffer) -> np.ndarray:
    """An unpacked .npy; like a map, it takes no more memory than its bytes, whatever its header claims."""
    stream = BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, is_fortran, dtype = read[version](stream)
    if dtype.hasobject:
        raise ValueError("object arrays")
    flat = np.frombuffer(content, dtype, count=int(np.prod(shape)), offset=stream.tell())
    return flat.reshape(shape, order="F" if is_fortran else "C")


def _missing_rows(on_disk: np.ndarray) -> IntArray:
    """Rows of nothing but NaN, ascending."""
    if on_disk.dtype.kind != "f":
        return np.empty(0, dtype=np.int64)
    first = np.flatnonzero(np.isnan(on_disk[:, 0]))  # few rows, mostly none
    missing: IntArray = first[np.isnan(on_disk[first]).all(axis=1)]
    return missing if len(missing) < len(on_disk) else missing[:0]  # a file of NaN is refused


def _zero_rows_of_finite(on_disk: np.ndarray, values: FloatArray, name: str) -> int:
    """How many rows are all zero; refuses NaN, infinite and too large values, counted by kind."""
    n_nan = n_overflow = n_inf = n_zero = n_bad_rows = 0
    first_bad = -1
    step = max(1, _BLOCK_VALUES // values.shape[1])
    for start in range(0, len(values), step):
        block, stored = values[start : start + step], on_disk[start : start + step]
        n_zero += int(np.count_nonzero(~block.any(axis=1)))
        usable = np.abs(block) <= MAX_VALUE  # False for NaN
        if usable.all():
            continue
        nan = int(np.count_nonzero(np.isnan(block)))
        overflow = int(np.count_nonzero(np.isfinite(stored) & ~usable))
        bad_rows = np.flatnonzero(~usable.all(axis=1))
        n_nan, n_overflow = n_nan + nan, n_overflow + overflow
        n_inf += int(usable.size - np.count_nonzero(usable)) - nan - overflow
        n_bad_rows += len(bad_rows)
        first_bad = start + int(bad_rows[0]) if first_bad < 0 else first_bad
    if n_bad_rows:
        raise DataError(
            expected=f"finite numbers up to {MAX_VALUE:g} in {name}",
            found=f"{n_nan:,} NaN, {n_inf:,} infinite and {n_overflow:,} too large values in "
            f"{counted(n_bad_rows, 'row')} (the first is row {first_bad})",
            remedy="replace these values or scale the features",
        )
    return n_zero
