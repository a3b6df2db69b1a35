"""``rednd runs`` and ``rednd data``."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.data import load_dataset
from rednd_core.runs import RunStore


def body(out: str) -> list[list[str]]:
    """Cells of every line of the tables' bodies."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()
            if line.startswith("│")]  # fmt: skip


def own(result) -> dict[str, dict]:
    return {row["run"]: row for row in result.json if not row["bundled"]}


def test_list_and_show(rednd, trained: RunStore) -> None:
    (trained.root / "broken").mkdir()
    rows = own(rednd("runs", "list", "--json"))
    assert set(rows) == {"done", "broken"}
    assert (rows["done"]["model"], rows["done"]["data"]) == ("lightgcn", "planted")
    assert (rows["done"]["state"], rows["done"]["epoch"]) == ("finished", 3)
    assert rows["broken"]["state"] == "broken"
    assert "config.json" in rows["broken"]["problem"]
    stored = trained.open("done").evaluation()
    assert (rows["done"]["select_by"], rows["done"]["valid"]) == (
        "recall@20",
        stored.valid["recall@20"],
    )
    assert (rows["broken"]["select_by"], rows["broken"]["valid"]) == (None, None)
    text = rednd("runs", "list")
    assert "lightgcn" in text.out
    shown = rednd("runs", "show", "done", "--json").json
    assert shown["record"]["config"]["model"] == "lightgcn"
    assert shown["evaluation"]["test"]["recall@5"] is not None
    assert shown["disk_bytes"] > 1000


def test_show_prints_tables_for_people(rednd, trained: RunStore, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = rednd("runs", "show", "done").out
    assert max(map(len, out.splitlines())) <= 80
    cells = {row[0]: row[1:] for row in body(out)}
    assert cells["users, items"] == ["40 users, 30 items"]
    assert cells["interactions"] == ["280 train, 40 validation, 80 test"]
    assert cells["state"][0].startswith("finished after epoch 3, best epoch ")
    stored = trained.open("done").evaluation()
    expected = [f"{part['ndcg@20']:.4f}" for part in (stored.valid, stored.test)]
    assert cells["ndcg@20"] == expected
    assert cells["ks"] == ["[5, 20]"], "as --set takes it"
    assert cells["learning_rate"] == ["0.02"]


def test_show_tells_how_the_epoch_was_chosen(rednd, trained: RunStore) -> None:
    with trained.open("done").layout.metrics.open("a") as file:
        file.write('{"event": "notice", "time": 1.0, "message": "A saturated metric."}\n')
    assert ["notice", "A saturated metric."] in body(rednd("runs", "show", "done").out)
    assert rednd("runs", "show", "done", "--json").json["notices"] == ["A saturated metric."]


def test_show_before_there_are_results(rednd, trained: RunStore) -> None:
    trained.open("done").layout.evaluation.unlink()
    out = rednd("runs", "show", "done").out
    assert "Settings" in out
    assert "Results" not in out
    rows = own(rednd("runs", "list", "--json"))
    assert rows["done"]["valid"] is None


def test_a_list_of_runs_chosen_by_several_metrics_names_each(
    rednd, trained: RunStore, planted_folder: Path, quick_but
) -> None:
    other = ("train", "--data", planted_folder, "--model", "mf", "--run", "other")
    assert rednd(*other, *quick_but(select_by="ndcg@5")).code == 0
    cells = {row[0]: row for row in body(rednd("runs", "list").out)}
    for name, metric in (("done", "recall@20"), ("other", "ndcg@5")):
        value = trained.open(name).evaluation().valid[metric]
        assert cells[name][5] == f"{metric} {value:.4f}"


def test_an_empty_store(rednd) -> None:
    assert own(rednd("runs", "list", "--json")) == {}
    assert rednd("runs", "show", "x").code == 1


def test_delete_asks(rednd, trained: RunStore, monkeypatch) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert rednd("runs", "delete", "done").code == 1
    assert trained.open("done")
    assert rednd("runs", "delete", "done", "--yes").code == 0
    assert list(trained.list()) == []
    assert rednd("runs", "delete", "done", "--yes").code == 1
    assert "done" in rednd("runs", "restore").out
    assert rednd("runs", "restore", "done").out == "Restored done\n"
    assert trained.open("done").evaluation()
    assert rednd("runs", "restore", "done").code == 1
    assert rednd("runs", "delete", "done", "--yes", "--for-good").code == 0
    assert "0 deleted runs" in rednd("runs", "restore").out
    assert rednd("runs", "restore", "--empty").code == 0


def test_export_and_import(
    rednd, trained: RunStore, planted_folder: Path, tmp_path: Path, monkeypatch
) -> None:
    archive, elsewhere = tmp_path / "done.zip", tmp_path / "elsewhere"
    assert rednd("runs", "export", "done", archive).code == 0
    result = rednd("runs", "import", archive, "--runs-dir", elsewhere)
    assert (result.code, result.out.strip()) == (0, "Imported done")
    mine, theirs = trained.open("done"), RunStore(elsewhere).open("done")
    assert mine.evaluation() == theirs.evaluation()
    assert all(map(np.array_equal, mine.embeddings(), theirs.embeddings()))
    pd.testing.assert_frame_equal(mine.per_user(), theirs.per_user(), rtol=1e-14, check_dtype=False)
    # The archive knows its data set by name only, which is found from the folder that it lies in.
    monkeypatch.chdir(planted_folder.parent)
    look = rednd("evaluate", "--run", "done", "--runs-dir", elsewhere, "--json")
    assert look.json["test"] == pytest.approx(mine.evaluation().test)
    # What was finished elsewhere can also be trained further here.
    assert rednd("train", "--resume", "done", "--runs-dir", elsewhere).code == 0


def test_import_a_checkpoint_with_its_config(rednd, trained: RunStore, tmp_path: Path) -> None:
    layout = trained.open("done").layout
    result = rednd(
        "runs", "import", layout.best_checkpoint, "--config", layout.config, "--run", "new"
    )
    assert result.code == 0, result.err
    mine, theirs = trained.open("done"), trained.open("new")
    assert theirs.status.state == "imported"
    assert mine.evaluation() == theirs.evaluation()
    assert all(map(np.array_equal, mine.embeddings(), theirs.embeddings()))
    assert rednd("recommend", "--run", "new", "--user", "ann-0").code == 0


def test_imports_that_are_refused(rednd, trained: RunStore, tmp_path: Path) -> None:
    layout = trained.open("done").layout
    junk = tmp_path / "junk.zip"
    junk.write_bytes(b"PK not really")
    missing = tmp_path / "missing.json"
    for args in (
        [tmp_path / "absent.zip"],
        [junk],
        [layout.best_checkpoint, "--config", missing],
        [layout.best_checkpoint],
        [junk, "--config", layout.config],
        [layout.best_checkpoint, "--config", layout.status],
    ):
        result = rednd("runs", "import", *args)
        assert (result.code, result.out) == (1, ""), args
        assert result.err.startswith("rednd: Expected")
    assert [entry.name for entry in trained.list()] == ["done"]


def test_refused_imports_say_what_to_do(rednd, trained: RunStore, tmp_path: Path) -> None:
    layout = trained.open("done").layout
    alone = rednd("runs", "import", layout.best_checkpoint)
    assert "add --config config.json" in alone.err
    pickle = tmp_path / "model.pt"
    pickle.write_bytes(b"anything")
    assert "nothing but tensors in the checkpoint" in rednd("runs", "import", pickle).err
    assert "leave --config out" in rednd("runs", "import", pickle, "--config", layout.config).err
    archive = tmp_path / "done.zip"
    rednd("runs", "export", "done", archive)
    both = rednd("runs", "import", archive, "--config", layout.config)
    assert (both.code, "leave --config out" in both.err) == (1, True)
    assert [entry.name for entry in trained.list()] == ["done"]


def test_a_checkpoint_of_other_sizes_leaves_no_run(
    rednd, trained: RunStore, tmp_path: Path
) -> None:
    layout = trained.open("done").layout
    config = tmp_path / "config.json"
    config.write_text(
        layout.config.read_text().replace('"embedding_size": 8', '"embedding_size": 9')
    )
    result = rednd("runs", "import", layout.best_checkpoint, "--config", config)
    assert result.code == 1
    assert "shape (70, 9)" in result.err
    assert [entry.name for entry in trained.list()] == ["done"]


def test_data_check(rednd, planted_folder: Path, tmp_path: Path) -> None:
    good = rednd("data", "check", planted_folder)
    assert (good.code, good.out.strip().splitlines()[-1]) == (0, "usable")
    assert rednd("data", "check", planted_folder, "--json").json["ok"] is True
    bad = tmp_path / "bad"
    shutil.copytree(planted_folder, bad)
    np.save(bad / "text_feat.npy", np.full((30, 8), np.nan, dtype=np.float32))
    np.save(bad / "image_feat.npy", np.zeros((3, 2), dtype=np.float32))
    refused = rednd("data", "check", bad)
    assert (refused.code, refused.out.strip().splitlines()[-1]) == (1, "not usable")
    assert sum(line.startswith("error") for line in refused.out.splitlines()) == 2
    as_json = rednd("data", "check", bad, "--json")
    assert (as_json.code, as_json.json["ok"], len(as_json.json["errors"])) == (1, False, 2)
    nothing = rednd("data", "check", tmp_path / "nothing")
    assert nothing.code == 1
    lines = nothing.out.splitlines()
    assert [line.split()[0] for line in lines] == ["error", "not"], "no table of nothing"
    wrong = rednd("data", "check", planted_folder, "--split", "halves")
    assert (wrong.code, "a valid value for split" in wrong.err) == (1, True)


def test_make_sample(rednd, tmp_path: Path) -> None:
    out = tmp_path / "shop"
    args = ("data", "make-sample", out, "--users", 60, "--items", 150, "--seed", 3)
    result = rednd(*args)
    assert result.code == 0, result.err
    dataset = load_dataset(out)
    assert f"{dataset.n_users} users, {dataset.n_items} items" in result.out
    again = rednd(*args)
    assert again.code == 1, "an existing folder is not replaced without --overwrite"
    assert rednd(*args, "--overwrite").out == result.out, "the same seed, the same bytes"
    assert load_dataset(out).digest == dataset.digest
