"""Writers of small data folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

SHOP = "userID,itemID,x_label\nann,tea,0\nann,mug,1\nbob,mug,0\nbob,tea,2\nann,007,0\nbob,007,1\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write one file of the data folder ``tmp_path / "shop"`` and return its path."""
    folder = tmp_path / "shop"
    folder.mkdir()

    def write_file(name: str, content: str | bytes) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def inter(write: Callable[[str, str | bytes], Path]) -> Callable[..., Path]:
    """Write ``shop.inter`` from rows of cells."""

    def write_inter(*rows: tuple[object, ...], header: str = "userID itemID x_label") -> Path:
        lines = [header.replace(" ", "\t")] + ["\t".join(map(str, row)) for row in rows]
        return write("shop.inter", "\n".join(lines) + "\n")

    return write_inter


@pytest.fixture
def mmrec(inter: Callable[..., Path]) -> Path:
    """A valid MMRec folder: 3 users, 4 feature rows (items 2 and 3 without interactions)."""
    path = inter((0, 0, 0), (0, 1, 1), (1, 1, 0), (1, 0, 2), (2, 0, 0), (2, 1, 0))
    rng = np.random.default_rng(0)
    np.save(path.with_name("text_feat.npy"), rng.normal(size=(4, 3)).astype(np.float32))
    np.save(path.with_name("image_feat.npy"), rng.normal(size=(4, 2)))
    return path.parent


@pytest.fixture
def csv_shop(write: Callable[[str, str | bytes], Path]) -> Path:
    """A valid CSV folder: string ids, labels, an items table in another order and features."""
    write("interactions.csv", SHOP)
    path = write("items.csv", "itemID,title\nmug,Mug &amp; saucer\ntea,\n007,Bond\n")
    np.save(path.with_name("text_feat.npy"), np.eye(3, dtype=np.float32))
    return path.parent
