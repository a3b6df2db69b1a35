from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from rednd_core.errors import RunError
from rednd_core.runs import RunStore, create_run, default_store


def dated(record, day: int):
    created = datetime(2024, 5, day, tzinfo=UTC)
    provenance = record.provenance.model_copy(update={"created": created})
    return record.model_copy(update={"provenance": provenance})


def test_newest_first_then_bundled_then_broken(tmp_path: Path, record) -> None:
    for name, day in (("b", 1), ("a", 3), ("c", 2)):
        create_run(tmp_path / "own" / name, dated(record, day))
    create_run(tmp_path / "shipped" / "z", dated(record, 9))
    (tmp_path / "own" / "0-broken").mkdir()
    (tmp_path / "own" / ".slot-0.lock").touch()
    (tmp_path / "own" / "stray.txt").touch()
    entries = RunStore(tmp_path / "own", [tmp_path / "shipped"]).list()
    assert [entry.name for entry in entries] == ["a", "c", "b", "z", "0-broken"]
    assert [entry.run.bundled for entry in entries] == [False, False, False, True, False]
    assert entries[-1].record is None
    assert entries[-1].problem.startswith("Expected the file 0-broken/config.json, but found")


@pytest.mark.parametrize("file", ["config.json", "status.json"])
@pytest.mark.parametrize("content", ["", "{}", '{"format": 2}', "null"])
def test_broken_files_are_entries_not_crashes(finished, store, file: str, content: str) -> None:
    (finished.path / file).write_text(content)
    (entry,) = store.list()
    assert file in entry.problem


def test_a_missing_root_is_an_empty_store(tmp_path: Path) -> None:
    assert list(RunStore(tmp_path / "nowhere").list()) == []


def test_open_points_at_the_nearest_name(finished, store) -> None:
    assert store.open("done").path == finished.path
    with pytest.raises(RunError, match="did you mean 'done'"):
        store.open("donee")
    with pytest.raises(RunError, match="a run name"):
        store.open("../done")


def test_own_runs_hide_bundled_ones(tmp_path: Path, record) -> None:
    create_run(tmp_path / "own" / "x", record)
    create_run(tmp_path / "shipped" / "x", record)
    assert not RunStore(tmp_path / "own", [tmp_path / "shipped"]).open("x").bundled


def test_delete(finished, store, tmp_path: Path) -> None:
    store.delete("done")
    assert list(store.list()) == []
    assert list(store.root.iterdir()) == []


def test_delete_refuses_bundled_and_live(tmp_path: Path, record) -> None:
    create_run(tmp_path / "shipped" / "x", record)
    create_run(tmp_path / "own" / "live", record).status("running")
    store = RunStore(tmp_path / "own", [tmp_path / "shipped"])
    with pytest.raises(RunError, match="a bundled run"):
        store.delete("x")
    with pytest.raises(RunError, match="found the state running"):
        store.delete("live")
    assert len(store.list()) == 2


def test_delete_of_a_link_keeps_what_it_points_at(finished, tmp_path: Path) -> None:
    other = RunStore(tmp_path / "other")
    other.root.mkdir()
    (other.root / "linked").symlink_to(finished.path)
    other.delete("linked")
    assert list(other.root.iterdir()) == []
    assert finished.status.state == "finished"


def test_a_broken_run_can_be_deleted(store) -> None:
    (store.root / "broken").mkdir(parents=True)
    store.delete("broken")
    assert list(store.list()) == []


def test_new_names_count_up(store, record) -> None:
    assert store.new_name("RedNnD", "Baby & Toys") == "rednnd-baby-toys-1"
    for name in ("lightgcn-shop-2", "lightgcn-shop-10", "lightgcn-shop-extra"):
        create_run(store.root / name, record)
    assert store.new_name("lightgcn", "shop") == "lightgcn-shop-11"
    assert store.new_name("…", "") == "run-run-1"


def test_default_store_follows_the_environment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("REDND_RUNS", str(tmp_path / "here"))
    assert default_store().root == tmp_path / "here"
    monkeypatch.delenv("REDND_RUNS")
    monkeypatch.chdir(tmp_path)
    assert default_store().root == tmp_path / "runs"
