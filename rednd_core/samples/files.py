"""The files of a sample as bytes, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def files_digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over sorted names and contents."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def tsv(table: pd.DataFrame) -> bytes:
    """A table with a header, tab-separated."""
    return table.to_csv(sep="\t", index=False, lineterminator="\n").encode()


def npy(array: NDArray[Any]) -> bytes:
    """One array as an .npy file."""
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays as an .npz file."""
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
