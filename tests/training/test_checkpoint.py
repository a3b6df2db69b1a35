"""A stopped run goes on bit for bit; a file that is not ours is refused and changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rednd_core.errors import CheckpointError, TrainingError
from rednd_core.runs import Command
from rednd_core.training import checkpoint
from rednd_core.training.callbacks import Callback
from rednd_core.training.checkpoint import load_parameters, restore_last, save_checkpoints


class Saver(Callback):
    """Saves after the epochs in ``at``, and at the end."""

    def __init__(self, folder: Path, at: tuple[int, ...] = ()) -> None:
        self.folder, self.at = folder, at

    def on_epoch(self, trainer, report) -> None:
        if report.epoch in self.at:
            save_checkpoints(self.folder, trainer)

    def on_end(self, trainer) -> None:
        save_checkpoints(self.folder, trainer)


def assert_same_end(first, second, result, other) -> None:
    """Parameters (best and last), Adam's moments, numbers: not a bit differs."""
    (trainer, diary), (later, later_diary) = first, second
    assert diary.last.keys() == later_diary.last.keys()
    for key, value in diary.last.items():
        assert torch.equal(value, later_diary.last[key]), key
    for key, value in trainer.model.state_dict().items():
        assert torch.equal(value, later.model.state_dict()[key]), key
    assert diary.moments.keys() == later_diary.moments.keys() != set()
    assert all(torch.equal(v, later_diary.moments[key]) for key, v in diary.moments.items())
    assert torch.equal(trainer.sampler.state(), later.sampler.state())
    assert (result.epochs, result.best_epoch, result.valid) == (
        other.epochs,
        other.best_epoch,
        other.valid,
    )
    assert (trainer.position.stale, trainer.position.best_score) == (
        later.position.stale,
        later.position.best_score,
    )
    assert trainer.model.loss_weights == later.model.loss_weights


WEIGHT = Command(command="set_weight", loss="alignment", value=0.3)
STOP = Command(command="stop")


@pytest.mark.parametrize("stop_at", [0, 1, 8, 10, 15, 29], ids=lambda n: f"batch {n}")
@pytest.mark.parametrize("name", ["lightgcn", "rednnd"])
def test_stopped_and_resumed_is_uninterrupted(make_trainer, tmp_path, name, stop_at) -> None:
    """5 batches an epoch: before any, in mid-epoch, at an epoch's end, before the very last batch.

    RedNⁿD's alignment weight is changed at batch 6, before or after the stop.
    """
    weight = {6: [WEIGHT]} if name == "rednnd" else {}
    whole = make_trainer(name, dict(weight))
    result = whole[0].fit()
    before = {n: c for n, c in weight.items() if n < stop_at} | {stop_at: [STOP]}
    first = make_trainer(name, before, more=[Saver(tmp_path)])
    assert first[0].fit().state == "stopped"
    torch.manual_seed(12345)
    after = {n - stop_at: c for n, c in weight.items() if n >= stop_at}
    second = make_trainer(name, after, seed=99)
    restore_last(tmp_path, second[0])
    assert_same_end(whole, second, result, second[0].fit())
    assert first[1].rows + second[1].rows == whole[1].rows


def test_stopped_twice_in_one_epoch(make_trainer, tmp_path) -> None:
    whole = make_trainer(epochs=3)
    result = whole[0].fit()
    make_trainer(commands={6: [STOP]}, epochs=3, more=[Saver(tmp_path)])[0].fit()
    for n in (0, 2):  # at once, and two batches on
        again, _ = make_trainer(commands={n: [STOP]}, epochs=3, seed=n, more=[Saver(tmp_path)])
        restore_last(tmp_path, again)
        again.fit()
        assert (again.position.epoch, again.position.batch) == (1, 1 + n)
    last = make_trainer(epochs=3, seed=50)
    restore_last(tmp_path, last[0])
    assert_same_end(whole, last, result, last[0].fit())


def test_patience_survives_a_resume(make_trainer, tmp_path) -> None:
    """Early stopping counts on from where it was."""
    options = {"epochs": 60, "patience": 3, "learning_rate": 0.3}
    whole = make_trainer(**options)
    result = whole[0].fit()
    assert result.epochs < 60
    make_trainer(commands={5 * (result.epochs - 1): [STOP]}, more=[Saver(tmp_path)], **options)[
        0
    ].fit()
    second = make_trainer(seed=9, **options)
    restore_last(tmp_path, second[0])
    assert second[0].position.stale == 2
    assert_same_end(whole, second, result, second[0].fit())


def test_a_finished_run_resumes_to_itself(make_trainer, tmp_path) -> None:
    trainer, _ = make_trainer(epochs=3, more=[Saver(tmp_path)])
    result = trainer.fit()
    again, diary = make_trainer(epochs=3, seed=9)
    restore_last(tmp_path, again)
    other = again.fit()
    assert diary.batches == []
    assert (other.epochs, other.best_epoch, other.valid) == (3, result.best_epoch, result.valid)
    for key, value in trainer.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key])


def test_more_epochs_than_first_planned(make_trainer, tmp_path) -> None:
    whole = make_trainer(epochs=6)
    result = whole[0].fit()
    make_trainer(epochs=4, more=[Saver(tmp_path)])[0].fit()
    longer = make_trainer(epochs=6, seed=4)
    restore_last(tmp_path, longer[0])
    assert_same_end(whole, longer, result, longer[0].fit())


# Crashes while saving.


def crash_after(monkeypatch, n_renames: int) -> None:
    """Die when ``n_renames`` files of a saving have been renamed."""
    rename, left = checkpoint.commit, iter([True] * n_renames)

    def commit(temporary: Path, path: Path) -> None:
        if not next(left, False):
            raise KeyboardInterrupt
        rename(temporary, path)

    monkeypatch.setattr(checkpoint, "commit", commit)


def test_a_crash_between_best_and_last(make_trainer, tmp_path, monkeypatch) -> None:
    """``best`` is of a later epoch than ``last`` knows: the resume reaches that epoch again."""
    options = {"epochs": 30, "patience": 30}
    whole = make_trainer(**options)
    result = whole[0].fit()
    improved = [r.epoch for r in whole[1].reports if r.improved]
    assert len(improved) >= 2
    early, late = improved[-2], improved[-1]
    crashing, _ = make_trainer(more=[Saver(tmp_path, at=(early,))], **options)
    crashing.callbacks[1].on_end = lambda trainer: None

    class Crash(Callback):
        def on_epoch(self, trainer, report) -> None:
            if report.epoch == late:
                crash_after(monkeypatch, 1)
                save_checkpoints(tmp_path, trainer)

    crashing.callbacks.append(Crash())
    with pytest.raises(KeyboardInterrupt):
        crashing.fit()
    monkeypatch.undo()
    with safe_open(tmp_path / "best.safetensors", framework="pt") as file:
        assert file.metadata()["epoch"] == str(late)
    second = make_trainer(seed=8, **options)
    restore_last(tmp_path, second[0])
    assert second[0].position.epoch == early
    stopped, _ = make_trainer(commands={0: [STOP]}, **options)
    restore_last(tmp_path, stopped)
    ending = stopped.fit()
    assert (ending.best_epoch, ending.valid) == (None, {}), "the parameters of that epoch are gone"
    assert_same_end(whole, second, result, second[0].fit())


@pytest.mark.parametrize("n_renames", [2, 3])
def test_a_crash_inside_last_is_noticed(make_trainer, tmp_path, monkeypatch, n_renames) -> None:
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    crash_after(monkeypatch, n_renames)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoints(tmp_path, trainer)
    with pytest.raises(CheckpointError, match="files of different savings"):
        restore_last(tmp_path, make_trainer()[0])


def test_a_full_disk_leaves_the_old_saving(make_trainer, tmp_path, monkeypatch) -> None:
    """Nothing is renamed before everything is written."""
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    stage = checkpoint.stage

    def full(path: Path, write):
        if path.name == "last.json":
            raise OSError(28, "No space left on device")
        return stage(path, write)

    monkeypatch.setattr(checkpoint, "stage", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoints(tmp_path, trainer)
    restore_last(tmp_path, make_trainer()[0])


def test_divergence_leaves_last_readable(make_trainer, tmp_path) -> None:
    trainer, _ = make_trainer(more=[Saver(tmp_path, at=(1,))])
    inner, count = trainer._step, iter(range(100))

    def step(batch):
        losses = inner(batch)
        if next(count) == 7:
            with torch.no_grad():
                trainer.model.node_emb.mul_(torch.inf)
        return losses

    trainer._step = step
    with pytest.raises(TrainingError):
        trainer.fit()
    healthy, _ = make_trainer(seed=1)
    restore_last(tmp_path, healthy)
    assert healthy.position.epoch == 1
    assert bool(healthy.model.node_emb.isfinite().all())


# Files that are not what they should be.


@pytest.fixture
def saved(make_trainer, tmp_path):
    """A folder with checkpoints of a 2-epoch LightGCN run."""
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    return tmp_path


def rewrite(path: Path, change=lambda tensors: None, **metadata: str | None) -> None:
    """Change tensors in place and metadata; a None removes a key."""
    with safe_open(path, framework="pt") as file:
        head = {k: v for k, v in (file.metadata() | metadata).items() if v is not None}
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, head)


def put(key: str, value):
    return lambda tensors: tensors.update({key: value})


HOSTILE = {
    "another model": (lambda p: rewrite(p, model="mf"), "those of 'mf'"),
    "no model": (lambda p: rewrite(p, model=None), "those of None"),
    "no format": (lambda p: rewrite(p, format=None), "checkpoint format rednd-1"),
    "another format": (lambda p: rewrite(p, format="rednd-2"), "found 'rednd-2'"),
    "no epoch": (lambda p: rewrite(p, epoch=None), "number of an epoch"),
    "a strange epoch": (lambda p: rewrite(p, epoch="-1; rm"), "found '-1; rm'"),
    "other rows": (
        lambda p: rewrite(p, put("node_emb", torch.zeros(71, 8))),
        r"shape \(70, 8\) as node_emb .* shape \(71, 8\)",
    ),
    "another type": (
        lambda p: rewrite(p, put("node_emb", torch.zeros(70, 8, dtype=torch.int64))),
        "float32 of .* found int64",
    ),
    "another name": (lambda p: rewrite(p, lambda t: t.update(zzz=t.pop("node_emb"))),
                     "as node_emb .* found nothing"),
    "one too many": (lambda p: rewrite(p, put("zzz", torch.ones(3))), "nothing as zzz"),
    "NaN": (lambda p: rewrite(p, lambda t: t["node_emb"].__setitem__((3, 4), torch.nan)), "NaN or inf"),
    "infinity": (lambda p: rewrite(p, lambda t: t["node_emb"].fill_(torch.inf)), "NaN or infinity"),
    "truncated": (lambda p: p.write_bytes(p.read_bytes()[:-100]), "a safetensors file"),
    "a cut header": (lambda p: p.write_bytes(p.read_bytes()[:20]), "a safetensors file"),
    "empty": (lambda p: p.write_bytes(b""), "a safetensors file"),
    "a pickle": (lambda p: torch.save({"x": torch.ones(2)}, p), "a safetensors file"),
    "absent": (lambda p: p.unlink(), "a safetensors file"),
    "a folder": (lambda p: (p.unlink(), p.mkdir()), "a safetensors file"),
    "a huge header": (lambda p: p.write_bytes((2**62).to_bytes(8, "little") + b"{}"), "a safetensors"),
}  # fmt: skip


@pytest.mark.parametrize("harm", HOSTILE)
def test_hostile_parameters_change_nothing(saved: Path, make_trainer, harm: str) -> None:
    path = saved / "best.safetensors"
    trainer, _ = make_trainer(seed=2)
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    make_harm, message = HOSTILE[harm]
    make_harm(path)
    with pytest.raises(CheckpointError, match=message):
        load_parameters(path, trainer.model)
    assert all(torch.equal(v, before[k]) for k, v in trainer.model.state_dict().items())


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors", "last.state.safetensors"])
@pytest.mark.parametrize("harm", ["truncated", "absent", "no format", "empty"])
def test_resume_refuses_harmed_files(saved: Path, make_trainer, name: str, harm: str) -> None:
    trainer, _ = make_trainer(seed=2)
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    HOSTILE[harm][0](saved / name)
    with pytest.raises(CheckpointError):
        restore_last(saved, trainer)
    assert all(torch.equal(v, before[k]) for k, v in trainer.model.state_dict().items())


@pytest.mark.parametrize("harm", ["NaN", "other rows", "another model"])
def test_resume_refuses_a_foreign_best(saved: Path, make_trainer, harm: str) -> None:
    HOSTILE[harm][0](saved / "best.safetensors")
    with pytest.raises(CheckpointError, match=HOSTILE[harm][1]):
        restore_last(saved, make_trainer()[0])


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "2"},
        {"epoch": -1},
        {"stale": 1.5},
        {"weights": {"bpr": -1.0}},
        {"weights": {"surprise": 1.0}},
        {"best_valid": {}},
        {"loss_sums": []},
        {"format": "rednd-9"},
        {"stamp": "00"},
        {"more": 1},
        None,
    ],
    ids=str,
)
def test_resume_refuses_a_strange_last_json(saved: Path, make_trainer, change) -> None:
    path = saved / "last.json"
    value = json.loads(path.read_bytes())
    path.write_text(json.dumps(value | change) if change else "{")
    with pytest.raises(CheckpointError, match="Expected") as caught:
        restore_last(saved, make_trainer()[0])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "harm",
    [
        put("optimizer.0.exp_avg", torch.zeros(3, 3)),
        put("optimizer.7.exp_avg", torch.zeros(70, 8)),
        put("optimizer.x.exp_avg", torch.zeros(70, 8)),
        put("rng.torch", torch.zeros(4)),
        put("rng.sampler", torch.zeros(4, dtype=torch.uint8)),
        lambda tensors: tensors.pop("rng.sampler"),
    ],
)  # fmt: skip
def test_resume_refuses_a_strange_state(saved: Path, make_trainer, harm) -> None:
    rewrite(saved / "last.state.safetensors", harm)
    with pytest.raises(CheckpointError, match="complete last checkpoint"):
        restore_last(saved, make_trainer()[0])


def test_files_of_two_runs(saved: Path, make_trainer, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    trainer, _ = make_trainer(epochs=3, more=[Saver(other)])
    trainer.fit()
    shutil.copy(other / "last.state.safetensors", saved / "last.state.safetensors")
    with pytest.raises(CheckpointError, match="files of different savings"):
        restore_last(saved, make_trainer()[0])


def test_what_lies_there(saved: Path) -> None:
    """No pickle, no leftovers; the names of the contract."""
    names = ["best.safetensors", "last.json", "last.safetensors", "last.state.safetensors"]
    assert sorted(path.name for path in saved.iterdir() if path.is_file()) == names
    with safe_open(saved / "best.safetensors", framework="pt") as file:
        assert list(file.keys()) == ["node_emb"]
        assert file.metadata()["model"] == "lightgcn"
