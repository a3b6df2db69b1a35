"""A run is told where its data set lies now; another data set is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

from rednd_core.runs import RunStore


def test_data_that_moved(rednd, planted_folder: Path, quick, tmp_path: Path) -> None:
    first = shutil.copytree(planted_folder, tmp_path / "first")
    rednd("train", "--data", first, "--model", "lightgcn", *quick, "--run", "mine")
    first.rename(tmp_path / "second")
    lost = rednd("evaluate", "--run", "mine")
    assert (lost.code, "rednd runs relink" in lost.err) == (1, True)
    moved = rednd("runs", "relink", "mine", "--data", tmp_path / "second")
    assert moved.code == 0, moved.err
    assert rednd("evaluate", "--run", "mine").code == 0

    with (tmp_path / "second" / "interactions.csv").open("a") as file:
        file.write("ann-0,sku-29,0\n")
    (tmp_path / "second").rename(tmp_path / "third")
    before = RunStore(tmp_path / "runs").open("mine").record
    other = rednd("runs", "relink", "mine", "--data", tmp_path / "third")
    assert (other.code, "with other content" in other.err) == (1, True)
    assert RunStore(tmp_path / "runs").open("mine").record == before
    bundled = rednd("runs", "relink", "shop-lightgcn", "--data", planted_folder)
    assert (bundled.code, "a bundled run" in bundled.err) == (1, True)
