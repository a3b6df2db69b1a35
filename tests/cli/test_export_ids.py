"""An exported run can be read without its data set: every array and table has the original ids beside it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.data import load_dataset
from rednd_core.runs import RunStore


@pytest.mark.parametrize("older", [False, True])
def test_ids_in_the_archive(
    rednd, trained: RunStore, planted_folder: Path, tmp_path: Path, older: bool
) -> None:
    run = trained.open("done")
    if older:  # as runs were before they kept ids
        run.layout.ids.unlink()
        run.per_user().drop(columns="user_id").to_parquet(run.layout.per_user, index=False)
    assert rednd("runs", "export", "done", tmp_path / "done.zip").code == 0
    with zipfile.ZipFile(tmp_path / "done.zip") as archive:
        ids = json.loads(archive.read("done/ids.json"))
        table = pd.read_csv(io.BytesIO(archive.read("done/per_user.csv")))
        users = np.load(io.BytesIO(archive.read("done/layers/users.npy")))
    data = load_dataset(planted_folder)
    assert ids["users"] == data.user_ids.tolist()
    assert ids["items"] == data.item_ids.tolist()
    assert len(users) == len(ids["users"])
    assert table["user_id"].tolist() == [ids["users"][user] for user in table["user"]]
    assert rednd("runs", "import", tmp_path / "done.zip", "--run", "again").code == 0
    again = trained.open("again")
    assert again.ids() is not None
    assert again.per_user()["user_id"].tolist() == table["user_id"].tolist()


def test_an_id_that_reads_like_an_empty_cell(tmp_path: Path) -> None:
    from rednd_core.runs.per_user import read_foreign_csv

    (tmp_path / "per_user.csv").write_text(
        "user,user_id,recall@5,split\n0,NA,,valid\n1,007,0.5,test\n"
    )
    table = read_foreign_csv(tmp_path / "per_user.csv", n_users=2)
    assert table["user_id"].tolist() == ["NA", "007"]
    assert np.isnan(table["recall@5"][0])
