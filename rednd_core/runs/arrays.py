"""Matrices of a run on disk: mapped into memory, never unpickled, of a declared type and shape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rednd_core.bounded import require_plain
from rednd_core.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def map_array(
    path: Path, dtype: str, shape: tuple[int | None, ...], *, remedy: str
) -> NDArray[Any]:
    """``path`` memory-mapped, read-only.

    Args:
        dtype: NumPy's name of the type, e.g. ``"float32"``.
        shape: None stands for any length.

    Raises:
        RunError: not an array of this type and shape; the sentence ends with ``remedy``.
        FileNotFoundError: there is no such file.
    """
    import numpy as np

    try:
        require_plain(path)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:
        # The header is of unknown origin: whatever error numpy raises, the cause is the file.
        found = str(error).splitlines()[0][:200].rstrip(".") if str(error) else "nothing readable"
        raise bad_array(path, dtype, shape, found, remedy=remedy) from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise bad_array(path, dtype, shape, "an archive of several arrays", remedy=remedy)
    fits = len(array.shape) == len(shape) and all(
        wanted in (None, length) for length, wanted in zip(array.shape, shape, strict=True)
    )
    if array.dtype != np.dtype(dtype) or not fits:
        found = f"{array.dtype} of shape {array.shape}"
        raise bad_array(path, dtype, shape, found, remedy=remedy)
    return array


def bad_array(
    path: Path, dtype: str, shape: tuple[int | None, ...], found: str, *, remedy: str
) -> RunError:
    """What an array that cannot be used is answered with."""
    kind = {1: "vector", 2: "matrix"}.get(len(shape), "array")
    of_shape = "" if None in shape else f" of shape {shape}"
    return RunError(
        expected=f"a {dtype} {kind}{of_shape} in {'/'.join(path.parts[-3:])}",
        found=found,
        remedy=remedy,
    )
