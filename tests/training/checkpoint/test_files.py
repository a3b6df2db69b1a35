"""The files of a saving; one that is not ours is refused and changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from rednd_core.errors import CheckpointError
from rednd_core.training.checkpoint import load_parameters, restore_last
from tests.training.checkpoint.saving import Saver


@pytest.fixture
def saved(make_trainer, tmp_path):
    """A folder with checkpoints of a 2-epoch LightGCN run."""
    trainer, _ = make_trainer(epochs=2, more=[Saver(tmp_path)])
    trainer.fit()
    return tmp_path


def test_what_lies_there(saved: Path) -> None:
    """No pickle, no leftovers; the names of the contract."""
    stamp = json.loads((saved / "last.json").read_text())["stamp"]
    names = {"best.safetensors", "last.json", f"last.{stamp}.safetensors"}
    names |= {f"last.{stamp}.state.safetensors"}
    assert {path.name for path in saved.iterdir()} == names
    with safe_open(saved / "best.safetensors", framework="pt") as file:
        assert list(file.keys()) == ["node_emb"]
        assert file.metadata()["model"] == "lightgcn"


def file_of(saved: Path, pattern: str) -> Path:
    """``last.*`` has a stamp in its names."""
    (path,) = saved.glob(pattern)
    return path


PARAMETERS, STATE = "last.????????????????????????????????.safetensors", "last.*.state.safetensors"


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


@pytest.mark.parametrize("name", ["best.safetensors", PARAMETERS, STATE])
@pytest.mark.parametrize("harm", ["truncated", "absent", "no format", "empty"])
def test_resume_refuses_harmed_files(saved: Path, make_trainer, name: str, harm: str) -> None:
    trainer, _ = make_trainer(seed=2)
    before = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    HOSTILE[harm][0](file_of(saved, name))
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
        {"stamp": "../../../../other/run/checkpoints"},
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
        put("optimizer.joint.0.exp_avg", torch.zeros(3, 3)),
        put("optimizer.joint.7.exp_avg", torch.zeros(70, 8)),
        put("optimizer.joint.x.exp_avg", torch.zeros(70, 8)),
        put("rng.sampler", torch.zeros(4, dtype=torch.uint8)),
        lambda tensors: tensors.pop("rng.sampler"),
    ],
)  # fmt: skip
def test_resume_refuses_a_strange_state(saved: Path, make_trainer, harm) -> None:
    rewrite(file_of(saved, STATE), harm)
    with pytest.raises(CheckpointError, match="complete last checkpoint"):
        restore_last(saved, make_trainer()[0])


def test_a_loss_that_is_off_may_be_newer_than_the_checkpoint(saved: Path, make_trainer) -> None:
    """One that is on may not."""
    path = saved / "last.json"
    value = json.loads(path.read_bytes())
    del value["weights"]["plugin_alignment"]
    path.write_text(json.dumps(value))
    trainer, _ = make_trainer()
    restore_last(saved, trainer)
    assert trainer.model.loss_weights["plugin_alignment"] == 0
    aligned, _ = make_trainer()
    aligned.model.loss_weights["plugin_alignment"] = 0.1
    with pytest.raises(CheckpointError, match="weights of the losses"):
        restore_last(saved, aligned)


def test_files_of_two_runs(saved: Path, make_trainer, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    trainer, _ = make_trainer(epochs=3, more=[Saver(other)])
    trainer.fit()
    shutil.copy(file_of(other, STATE), file_of(saved, STATE))
    with pytest.raises(CheckpointError, match="files of different savings"):
        restore_last(saved, make_trainer()[0])


def test_a_best_of_another_saving(saved: Path, make_trainer) -> None:
    rewrite(saved / "best.safetensors", epoch="77")
    with pytest.raises(CheckpointError, match="the best epoch 77 beside a saving whose best is"):
        restore_last(saved, make_trainer()[0])
