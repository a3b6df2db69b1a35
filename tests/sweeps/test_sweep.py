"""Grid and staged search: the choice, what test figures exist, going on, and what goes wrong."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from rednd_core.errors import ConfigError, DataError, RunError
from rednd_core.runs import Command, RunStore, send
from rednd_core.runs.reading import read_record
from rednd_core.sweeps.grid_points import make_point
from rednd_core.sweeps.result_tables import sweep_table
from rednd_core.sweeps.sweep import SweepRecord, run_sweep, score
from rednd_core.training.trainer import Trainer

from .conftest import Diary, SerialPool


def sweep(plan, store, pool=None, diary=None, name="s") -> SweepRecord:
    return run_sweep(plan, store, pool or SerialPool(), diary or Diary(), name)


def on_disk(store: RunStore, name="s") -> SweepRecord:
    return read_record(SweepRecord, store.root / ".sweeps" / name / "sweep.json")


def test_every_point_is_the_run_that_train_makes(make_plan, store, diary, train_alone) -> None:
    plan = make_plan()
    record = sweep(plan, store, diary=diary)
    assert record == on_disk(store)
    assert (record.state, record.n_finished, record.select_by) == ("finished", 4, "recall@5")
    alone = {}
    for point in record.points:
        config = make_point("s", plan.model, plan.data, plan.settings, point.settings).config
        assert store.open(point.run).config == config
        alone[point.run] = train_alone(config)
        expected = alone[point.run].evaluation()
        assert point.outcome.valid == expected.valid
        assert point.outcome.best_epoch == expected.epoch
        assert point.outcome.epochs == 4
        assert 0 < point.outcome.seconds_per_epoch < point.outcome.seconds < 60
    # An oracle for the choice: the run with the best validation when trained by itself.
    best = max(alone, key=lambda run: alone[run].evaluation().valid["recall@5"])
    assert record.best == record.ranked[0].run == best
    chosen = store.open(best)
    assert chosen.evaluation() == alone[best].evaluation(), "test included"
    assert record.ranked[0].outcome.test == alone[best].evaluation().test != {}
    mine, theirs = (
        run.per_user().sort_values(["split", "user"], ignore_index=True)
        for run in (chosen, alone[best])
    )
    assert mine.equals(theirs[mine.columns])
    assert diary.begun_with == [(4, 1)]
    assert [progress.n_over for _, progress in diary.points] == [1, 2, 3, 4]
    assert diary.points[0][1].seconds_left > 0
    assert diary.points[3][1].seconds_left == 0


def test_losers_have_no_test_figure_anywhere(make_plan, store) -> None:
    record = sweep(make_plan(), store)
    for point in record.points:
        run = store.open(point.run)
        has_test = point.run == record.best
        assert run.evaluation().has_test is has_test
        assert (run.evaluation().test != {}) is has_test
        assert ("test" in set(run.per_user()["split"])) is has_test
        assert (point.outcome.test != {}) is has_test


def test_a_run_of_a_sweep_looks_like_any_other(make_plan, store) -> None:
    record = sweep(make_plan(n_layers=(1,)), store)
    entries = store.list()
    assert [entry.name for entry in entries] == ["s-n_layers_1"] == [record.best]
    assert (entries[0].status.state, entries[0].problem) == ("finished", "")


def test_test_is_read_only_when_all_are_over(make_plan, store) -> None:
    pool = SerialPool(stop_after=3)
    record = sweep(make_plan(), store, pool)
    assert (record.state, record.best, record.n_finished) == ("stopped", None, 3)
    assert not any(store.open(run).evaluation().has_test for run in pool.trained)
    diary, rest = Diary(), SerialPool()
    again = sweep(make_plan(), store, rest, diary)
    assert (again.state, again.n_finished) == ("finished", 4)
    assert rest.trained == [again.points[3].run, again.best], "the fourth, and a look at test"
    assert again.created == record.created
    assert len(diary.points) == 1


def test_a_finished_sweep_starts_nothing(make_plan, store) -> None:
    first = sweep(make_plan(), store)
    pool, diary = SerialPool(), Diary()
    assert sweep(make_plan(), store, pool, diary) == first
    assert (pool.trained, diary.begun_with) == ([], [])


def test_a_deleted_run_is_trained_again(make_plan, store) -> None:
    first = sweep(make_plan(), store)
    place = next(k for k, point in enumerate(first.points) if point.run != first.best)
    store.delete(first.points[place].run)
    pool = SerialPool()
    again = sweep(make_plan(), store, pool)
    assert pool.trained == [first.points[place].run]
    assert again.points[place].outcome.valid == first.points[place].outcome.valid


def test_staged_search_is_coordinate_descent(make_plan, store) -> None:
    """An oracle walks the same way over the whole grid's results."""
    axes = {"n_layers": (1, 0, 3), "learning_rate": (0.001, 0.1), "reg_weight": (1e-4, 1.0)}
    whole = sweep(make_plan(**axes), store, name="whole")
    scores = {tuple(point.settings.values()): score(point, "recall@5") for point in whole.points}
    chosen, visited = [values[0] for values in axes.values()], []
    for place, values in enumerate(axes.values()):
        options = [(*chosen[:place], value, *chosen[place + 1 :]) for value in values]
        visited += [option for option in options if option not in visited]
        chosen = list(max(options, key=scores.__getitem__))
    plan = make_plan(staged=True, **axes)
    record = sweep(plan, store)
    assert [tuple(point.settings.values()) for point in record.points] == visited
    best = next(point for point in record.points if point.run == record.best)
    assert list(best.settings.values()) == chosen
    assert plan.n_points == len(visited) == 5 < len(whole.points) == 12
    assert [point.stage for point in record.points] == [
        *["n_layers"] * 3, "learning_rate", "reg_weight",
    ]  # fmt: skip
    again = SerialPool()
    assert sweep(plan, store, again) == record
    assert again.trained == []


def test_a_stopped_staged_search_goes_on(make_plan, store) -> None:
    plan = make_plan(staged=True)
    stopped = sweep(plan, store, SerialPool(stop_after=1))
    assert (stopped.state, stopped.best) == ("stopped", None)
    assert sweep(plan, store).state == "finished"
    assert on_disk(store).n_finished == 3


def test_ties_go_to_the_first(make_plan, store) -> None:
    """Two weights too small to matter give the same validation."""
    record = sweep(make_plan(reg_weight=(1e-12, 1e-13, 0)), store)
    scores = [score(point, "recall@5") for point in record.points]
    assert len(set(scores)) == 1
    assert record.best == record.points[0].run


def test_default_names(make_plan, store) -> None:
    plan = make_plan()
    assert plan.default_name == make_plan().default_name
    assert plan.default_name.startswith("lightgcn-planted-")
    others = [make_plan(staged=True), make_plan(settings={"epochs": 5}), make_plan(n_layers=(2, 1))]
    assert len({plan.default_name, *(other.default_name for other in others)}) == 4
    record = run_sweep(make_plan(n_layers=(1,)), store, SerialPool(), Diary())
    assert record.points[0].run == f"{record.name}-n_layers_1"


def test_another_plan_under_the_same_name(make_plan, store) -> None:
    sweep(make_plan(n_layers=(1,)), store)
    with pytest.raises(RunError, match="the plan that s was begun with"):
        sweep(make_plan(n_layers=(1, 2)), store)


def test_other_data_at_the_same_path(make_plan, store, planted_folder: Path, tmp_path) -> None:
    data = tmp_path / "copy"
    shutil.copytree(planted_folder, data)
    sweep(make_plan(n_layers=(1,), data=data), store)
    table = data / "interactions.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-12] + lines[-11:]) + "\n")
    with pytest.raises(RunError, match="other content at the same path"):
        sweep(make_plan(n_layers=(1,), data=data), store)
    shutil.rmtree(store.root / ".sweeps")
    with pytest.raises(RunError, match="the data set copy that the run was trained on"):
        sweep(make_plan(n_layers=(1,), data=data), store)


def test_a_strange_run_of_that_name_is_left_alone(make_plan, store) -> None:
    sweep(make_plan(n_layers=(1,)), store)
    shutil.rmtree(store.root / ".sweeps")
    before = store.open("s-n_layers_1").record
    with pytest.raises(RunError, match="the planned settings in the run s-n_layers_1"):
        sweep(make_plan(n_layers=(1,), settings={"epochs": 5}), store)
    assert store.open("s-n_layers_1").record == before


def test_two_processes_at_one_sweep(make_plan, store) -> None:
    sweep(make_plan(n_layers=(1,)), store)
    lock = FileLock(store.root / ".sweeps" / "s" / ".lock")
    with lock, pytest.raises(RunError, match="no other process that works on s"):
        sweep(make_plan(n_layers=(1,)), store)


@pytest.mark.parametrize("staged", [False, True])
def test_an_impossible_point_is_found_before_training(make_plan, store, staged: bool) -> None:
    pool = SerialPool()
    with pytest.raises(ConfigError, match="n_layers"):
        sweep(make_plan(n_layers=(1, 2, -1), staged=staged), store, pool)
    assert (pool.trained, list(store.list())) == ([], [])


def test_no_data(make_plan, store, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        sweep(make_plan(data=tmp_path / "nowhere"), store)
    assert not store.root.exists()


def diverge(monkeypatch, wanted) -> None:
    """Runs for which ``wanted(config)`` holds end in NaN."""
    step = Trainer.take_step

    def broken(self, phase, batch):
        losses = step(self, phase, batch)
        return {k: v * math.nan for k, v in losses.items()} if wanted(self.config) else losses

    monkeypatch.setattr(Trainer, "take_step", broken)


def test_a_point_that_diverges_is_a_result(make_plan, store, diary, monkeypatch) -> None:
    diverge(monkeypatch, lambda config: config.learning_rate == 0.1)
    record = sweep(make_plan(learning_rate=(0.1, 0.02)), store, diary=diary)
    assert record.state == "finished"
    assert record.best == "s-learning_rate_0.02"
    failed = record.points[0].outcome
    assert failed.state == "failed"
    assert "finite losses" in failed.message
    assert record.ranked[-1].run == "s-learning_rate_0.1"
    assert [progress.n_over for _, progress in diary.points] == [1, 2]


def test_the_table_has_the_best_first(make_plan, store, monkeypatch) -> None:
    diverge(monkeypatch, lambda config: config.learning_rate == 0.1)
    record = sweep(make_plan(learning_rate=(0.1, 0.001, 0.02)), store)
    columns, lines = sweep_table(record)
    assert columns == [
        *("point", "valid recall@5", "valid ndcg@5", "best epoch", "epochs", "seconds", "state"),
    ]
    assert [line[-1] for line in lines] == ["chosen", "", "failed"]
    assert lines[0][1] == f"{score(record.ranked[0], 'recall@5'):.4f}" > lines[1][1]
    assert lines[2][:3] == ["learning_rate 0.1", "", ""]


def test_nothing_but_failures(make_plan, store, monkeypatch) -> None:
    diverge(monkeypatch, lambda config: True)
    with pytest.raises(RunError, match="4 failures, such as s-n_layers_1"):
        sweep(make_plan(), store)
    assert on_disk(store).state == "stopped"


def test_a_mistake_in_all_points_ends_it_at_the_first(make_plan, store) -> None:
    pool = SerialPool()
    with pytest.raises(ConfigError, match="recall@7"):
        sweep(make_plan(settings={"select_by": "recall@7"}), store, pool)
    assert len(pool.trained) == 1
    assert on_disk(store).state == "stopped"


def test_a_mistake_in_one_point_does_not(make_plan, store) -> None:
    settings = {"epochs": 1, "embedding_size": 4}
    plan = make_plan(model="rednnd", settings=settings, modalities=(["text"], ["video"]))
    record = sweep(plan, store)
    assert [point.outcome.state for point in record.points] == ["finished", "failed"]
    assert (record.state, record.best) == ("finished", record.points[0].run)
    assert "found image, text" in record.points[1].outcome.message


def test_a_run_that_somebody_steered_does_not_count(make_plan, store, monkeypatch) -> None:
    step, steered = Trainer.take_step, []

    def steer(self, phase, batch):
        if not steered and self.config.learning_rate == 0.02:
            steered.append(True)
            run = store.open("s-learning_rate_0.02")
            send(run, Command(command="set_weight", loss="regularization", value=0.5))
        return step(self, phase, batch)

    monkeypatch.setattr(Trainer, "take_step", steer)
    record = sweep(make_plan(learning_rate=(0.02, 0.1)), store)
    assert record.best == "s-learning_rate_0.1"
    assert "changed while it trained" in record.points[0].outcome.message
    store.delete("s-learning_rate_0.02")
    assert sweep(make_plan(learning_rate=(0.02, 0.1)), store).n_finished == 2


def test_a_run_that_somebody_stopped_is_finished_next_time(
    make_plan, store, monkeypatch, train_alone
) -> None:
    step, stopped = Trainer.take_step, []

    def stop(self, phase, batch):
        if not stopped and self.state.epoch == 1:
            stopped.append(True)
            send(store.open("s-n_layers_1"), Command(command="stop"))
        return step(self, phase, batch)

    monkeypatch.setattr(Trainer, "take_step", stop)
    plan = make_plan(n_layers=(1, 2))
    record = sweep(plan, store)
    assert (record.state, record.best) == ("stopped", None)
    assert [point.outcome.state for point in record.points] == ["stopped", "finished"]
    record = sweep(plan, store)
    assert record.state == "finished"
    assert store.open("s-n_layers_1").events()[-1]["event"] == "continued"
    alone = train_alone(store.open("s-n_layers_1").config)
    assert record.points[0].outcome.valid == alone.evaluation().valid


def test_popularity_has_nothing_to_train(make_plan, store) -> None:
    plan = make_plan(model="popularity", epochs=(4, 5)).model_copy(
        update={"settings": {"device": "cpu", "engine": "csr"}}
    )
    record = sweep(plan, store)
    assert record.state == "finished"
    assert record.points[0].outcome.seconds is None
