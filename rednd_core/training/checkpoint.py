"""Checkpoints: parameters as safetensors, everything else as safetensors + JSON. Never a pickle.

``best.safetensors`` holds the parameters of the best validation. ``last`` is what an interrupted run
needs to go on bit for bit: parameters, Adam's moments, the states of all generators and the loop's
place. Each file is written whole or not at all, and the three files of ``last`` name one another by a
stamp, so that a crash between two of them is noticed.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rednd_core.errors import CheckpointError
from rednd_core.models.base import Recommender
from rednd_core.runs.atomic import write_bytes, write_json
from rednd_core.runs.layout import CHECKPOINT_FORMAT
from rednd_core.training.trainer import Position, Trainer

_SCALARS = ("epoch", "batch", "loss_sums", "weights", "best_epoch", "best_valid", "stale")


def save_parameters(
    path: Path, parameters: dict[str, Tensor], *, model: str, epoch: int, stamp: str = ""
) -> None:
    """Write parameters, with the model's name and the epoch as metadata."""
    metadata = {"format": CHECKPOINT_FORMAT, "model": model, "epoch": str(epoch), "stamp": stamp}
    _save(path, parameters, metadata)


def load_parameters(path: Path, model: Recommender) -> int:
    """Load parameters into ``model``; returns their epoch. The model is unchanged if it fails.

    Raises:
        CheckpointError: not a checkpoint of this format and model, or of other shapes.
    """
    tensors, metadata = _load(path)
    if metadata.get("model") != model.name:
        raise CheckpointError(
            expected=f"parameters of the model {model.name} in {path.name}",
            found=f"those of {metadata.get('model')!r}",
            remedy="choose the checkpoint that belongs to this run",
        )
    expected = model.state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        want = tuple(expected[name].shape) if name in expected else None
        have = tuple(tensors[name].shape) if name in tensors else None
        if want != have:
            raise CheckpointError(
                expected=f"{name} of shape {want} in {path.name}"
                if want is not None
                else f"no parameter {name} in {path.name}",
                found="none" if have is None else f"the shape {have}",
                remedy="use the configuration and the data set that the checkpoint was trained with",
            )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CheckpointError(
                expected=f"finite numbers in {path.name}",
                found=f"NaN or infinity in {name}",
                remedy="choose another checkpoint",
            )
    model.load_state_dict(tensors)
    return int(metadata.get("epoch", "0"))


def save_checkpoints(folder: Path, trainer: Trainer) -> None:
    """Write ``best``, then the three files of ``last``; a crash in between is noticed on reading."""
    assert trainer.optimizer is not None
    stamp = uuid.uuid4().hex
    position = trainer.position
    if trainer.best_parameters is not None:
        assert position.best_epoch is not None
        save_parameters(
            folder / "best.safetensors",
            trainer.best_parameters,
            model=trainer.model.name,
            epoch=position.best_epoch,
        )
    state = {"rng.torch": torch.get_rng_state(), "rng.sampler": position.sampler}
    if trainer.device.type == "cuda":
        state["rng.cuda"] = torch.cuda.get_rng_state(trainer.device)
    for index, moments in trainer.optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    _save(folder / "last.state.safetensors", state, {"format": CHECKPOINT_FORMAT, "stamp": stamp})
    save_parameters(
        folder / "last.safetensors",
        trainer.model.state_dict(),
        model=trainer.model.name,
        epoch=position.epoch,
        stamp=stamp,
    )
    scalars = {name: getattr(position, name) for name in _SCALARS}
    write_json(folder / "last.json", {"format": CHECKPOINT_FORMAT, "stamp": stamp, **scalars})


def restore_last(folder: Path, trainer: Trainer) -> None:
    """Put ``trainer`` where :func:`save_checkpoints` found it, with the best parameters so far.

    Raises:
        CheckpointError: a file is missing, damaged, or of another saving than the others.
    """
    assert trainer.optimizer is not None
    try:
        scalars: dict[str, Any] = json.loads((folder / "last.json").read_bytes())
        state, metadata = _load(folder / "last.state.safetensors")
        stamps = {
            scalars["stamp"],
            metadata.get("stamp"),
            _load(folder / "last.safetensors")[1]["stamp"],
        }
        if len(stamps) != 1:
            raise _unusable("files of different savings")
        load_parameters(folder / "last.safetensors", trainer.model)
        _restore_optimizer(trainer, state)
        position = Position(
            sampler=state["rng.sampler"], **{name: scalars[name] for name in _SCALARS}
        )
        torch.set_rng_state(state["rng.torch"])
        if "rng.cuda" in state and trainer.device.type == "cuda":
            torch.cuda.set_rng_state(state["rng.cuda"], trainer.device)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise _unusable(f"{type(error).__name__}: {error}") from None
    trainer.sampler.restore(position.sampler)
    for name, weight in position.weights.items():
        trainer.model.set_loss_weight(name, weight)
    position.weights = trainer.model.loss_weights
    if position.best_epoch is not None:
        best_parameters, best = _load(folder / "best.safetensors")
        if best.get("epoch") == str(position.best_epoch):
            position.best_score = position.best_valid[trainer.config.select_by]
            trainer.best_parameters = best_parameters
        else:
            # A crash fell between the two: the file holds a later epoch, which beat all before it
            # and will be reached again.
            position.best_epoch, position.best_valid = None, {}
    trainer.position = position


def _restore_optimizer(trainer: Trainer, state: dict[str, Tensor]) -> None:
    assert trainer.optimizer is not None
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in state.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            moments.setdefault(int(index), {})[name] = value
    whole = trainer.optimizer.state_dict()
    trainer.optimizer.load_state_dict({**whole, "state": moments})


def _save(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_bytes(path, save(plain, metadata))


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            expected=f"a safetensors file {path.name}",
            found=str(error).splitlines()[0][:200],
            remedy="restore the file or train again",
        ) from None
    if metadata.get("format") != CHECKPOINT_FORMAT:
        raise CheckpointError(
            expected=f"the checkpoint format {CHECKPOINT_FORMAT} in {path.name}",
            found=repr(metadata.get("format")),
            remedy="choose a checkpoint that this project wrote",
        )
    return tensors, metadata


def _unusable(found: str) -> CheckpointError:
    return CheckpointError(
        expected="a complete last checkpoint to resume from",
        found=found,
        remedy="start a new run, or open this one's best checkpoint",
    )
