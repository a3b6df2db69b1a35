from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rednd_core import atomic
from rednd_core.errors import RunError
from rednd_core.runs import RunStore, create_run, default_store, ownership, recycle_bin


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


@pytest.mark.parametrize("file", ["layers/index.json", "evaluation.json"])
@pytest.mark.parametrize("content", ["", "{}", "null", None])
def test_a_broken_result_is_a_problem_of_its_run_alone(finished, store, file: str, content) -> None:
    (finished.path / file).unlink()
    if content is None:
        (finished.path / file).mkdir()
    else:
        (finished.path / file).write_text(content)
    (entry,) = store.list()
    assert f"done/{file}" in entry.problem
    assert (entry.record, entry.status) == (None, finished.status)


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
    store.delete("done", for_good=True)
    assert list(store.list()) == []
    assert [path.name for path in store.root.iterdir()] == [".jobs.lock"]


def test_a_deleted_run_comes_back_as_it_was(finished, store, record) -> None:
    before = finished.layers()["id"][0].copy()
    store.delete("done")
    assert list(store.list()) == []
    (entry,) = store.deleted()
    assert (entry.name, entry.disk_bytes > 1000) == ("done", True)
    assert abs(entry.deleted - time.time()) < 60
    run = store.restore("done")
    assert run.status.state == "finished"
    assert (run.layers()["id"][0] == before).all()
    assert [entry.name for entry in store.list()] == ["done"]
    assert list(store.deleted()) == []
    with pytest.raises(RunError, match="found an empty bin; train it again"):
        store.restore("done")


def test_the_run_that_was_deleted_last_comes_back_first(store, record) -> None:
    for day in (1, 2):
        create_run(store.root / "x", dated(record, day)).status("finished")
        store.delete("x")
    assert store.restore("x").record.provenance.created.day == 2
    with pytest.raises(RunError, match="no run called x"):
        store.restore("x")
    store.delete("x", for_good=True)
    assert store.restore("x").record.provenance.created.day == 1


def test_the_bin_has_a_limit(store, record, monkeypatch) -> None:
    monkeypatch.setattr(recycle_bin, "MOST_RUNS", 2)
    for name in ("a", "b", "c"):
        create_run(store.root / name, record).status("finished")
        store.delete(name)
    assert [entry.name for entry in store.deleted()] == ["c", "b"]
    monkeypatch.setattr(recycle_bin, "MOST_BYTES", 1_000_000)
    create_run(store.root / "fat", record).status("finished")
    (store.root / "fat" / "log.txt").write_bytes(bytes(2_000_000))
    store.delete("fat")
    assert [entry.name for entry in store.deleted()] == ["c", "b"], "it is beyond the limit"
    store.empty_bin()
    assert list(store.deleted()) == []
    assert not (store.root / ".bin").exists() or not any((store.root / ".bin").iterdir())


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
    assert [path.name for path in other.root.iterdir()] == [".jobs.lock"]
    assert finished.status.state == "finished"


def test_a_broken_run_can_be_deleted(store) -> None:
    (store.root / "broken").mkdir(parents=True)
    store.delete("broken")
    assert list(store.list()) == []


def test_what_killed_processes_left_goes_after_a_day(store, finished, monkeypatch) -> None:
    for name in (".import.0123.tmp", ".done.0123.tmp", ".old.0123.deleted"):
        (store.root / name / "layers").mkdir(parents=True)
    (store.root / ".zip.0123.tmp").touch()
    (store.root / ".slot-0.lock").touch()

    def left() -> int:
        return len([p for p in store.root.iterdir() if p.suffix in (".tmp", ".deleted")])

    with ownership.preparing(store.root):
        assert left() == 4, "somebody may be at work there"
    now = time.time()
    monkeypatch.setattr(atomic.time, "time", lambda: now + atomic.ABANDONED_SECONDS + 1)
    with ownership.preparing(store.root):
        assert left() == 0
    assert (store.root / ".slot-0.lock").exists()
    assert store.open("done").layers() is not None


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
