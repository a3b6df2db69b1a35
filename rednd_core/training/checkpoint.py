"""Checkpoints: parameters as safetensors, everything else as safetensors + JSON. Never a pickle.

``best.safetensors`` holds the parameters of the best validation. ``last`` is what an interrupted run
needs to go on bit for bit: parameters, the moments of all optimisers, the sampler's and the loop's
state. Whatever else is drawn follows from the seed, the epoch and the batch, and is drawn again. Every
saving has files of its own, with a stamp in their names; ``last.json``, renamed after them, says which stamp
counts, and older files go afterwards. So a crash anywhere leaves the older or the newer saving.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rednd_core.atomic import commit, encode_json, raw, stage_all
from rednd_core.config import StrictModel
from rednd_core.errors import CheckpointError
from rednd_core.modeling.base import Recommender
from rednd_core.runs.layout import CHECKPOINT_FORMAT, EPOCH, STAMP
from rednd_core.training.callbacks import Training
from rednd_core.training.state import TrainingState

STATE_FILE, BEST = "last.json", "best.safetensors"

OPTIMIZER = "optimizer."  # in last.<stamp>.state.safetensors, before <optimiser>.<number>.<moment>
UNNAMED = "joint"
"""The optimiser whose moments an older checkpoint keeps without a name: <number>.<moment>."""

STAMPED = re.compile(rf"(?:last|best)\.({STAMP})(?:\.state)?\.safetensors")

Count = Annotated[int, Field(ge=0)]


class SavedState(StrictModel):
    """last.json: the plain numbers of a :class:`TrainingState`, under the same names."""

    format: Literal["rednd-1"] = "rednd-1"
    stamp: Annotated[str, Field(pattern=f"^{STAMP}$")]
    epoch: Count
    batch: Count
    loss_sums: dict[str, float]
    loss_counts: dict[str, Annotated[int, Field(ge=1)]]
    weights: dict[str, Annotated[float, Field(ge=0)]]
    best_epoch: Count | None
    best_valid: dict[str, float]
    stale: Count
    validations: Count = 0
    lowest_score: float | None = None


def load_parameters(path: Path, model: Recommender) -> int:
    """Load parameters into ``model``; returns their epoch. The model is unchanged if it fails.

    Raises:
        CheckpointError: not a checkpoint of this format and model, of other shapes, or not finite.
    """
    tensors, metadata = _load(path)
    epoch = _check_parameters(path, tensors, metadata, model)
    model.load_state_dict(tensors)
    return epoch


def save_checkpoints(folder: Path, trainer: Training) -> None:
    """Write ``best`` and ``last``, and remove the ``last`` before."""
    state, model = trainer.state, trainer.model
    stamp = uuid.uuid4().hex
    common = {"format": CHECKPOINT_FORMAT, "stamp": stamp, "model": model.name}
    contents: dict[Path, bytes] = {}
    of_saving, best = _best_of(folder, stamp), folder / BEST
    if trainer.best_parameters is not None:
        metadata = common | {"epoch": str(state.best_epoch)}
        contents[of_saving] = _encode(trainer.best_parameters, metadata)
    tensors = {"rng.sampler": state.sampler}
    for name, optimizer in trainer.optimizers.items():
        tensors |= {f"{OPTIMIZER}{name}.{k}": moment for k, moment in optimizer.state().items()}
    contents[_state_of(folder, stamp)] = _encode(tensors, common)
    metadata = common | {"epoch": str(state.epoch)}
    contents[_parameters_of(folder, stamp)] = _encode(model.state_dict(), metadata)
    numbers = {
        name: value for name, value in vars(state).items() if name in SavedState.model_fields
    }
    if not state.validations:
        numbers["lowest_score"] = None  # JSON has no infinity
    contents[folder / STATE_FILE] = encode_json(SavedState(stamp=stamp, **numbers), indent=2)
    for temporary, path in stage_all((path, raw(content)) for path, content in contents.items()):
        commit(temporary, path)
    # Not before last.json: the older saving goes with the older best.
    if trainer.best_parameters is not None:
        commit(of_saving, best)
    for path in folder.iterdir():
        named = STAMPED.fullmatch(path.name)
        if named and named[1] != stamp:
            with suppress(OSError):  # somebody reads it: it goes with the next saving
                path.unlink()


def restore_last(folder: Path, trainer: Training) -> None:
    """Put ``trainer`` where :func:`save_checkpoints` found it, with the best parameters so far.

    Raises:
        CheckpointError: a file is missing, damaged, or of another saving than the others.
    """
    saved = _read_state(folder)
    path = _parameters_of(folder, saved.stamp)
    parameters, metadata = _load(path)
    _check_parameters(path, parameters, metadata, trainer.model)
    tensors, of_tensors = _load(_state_of(folder, saved.stamp))
    try:
        if not metadata["stamp"] == of_tensors["stamp"] == saved.stamp:
            raise _unusable("files of different savings")
        numbers = saved.model_dump(exclude={"format", "stamp"}, exclude_none=True)
        numbers["best_epoch"] = saved.best_epoch
        state = TrainingState(sampler=tensors["rng.sampler"], **numbers)
        # A loss that is off may be newer than the checkpoint; the order is that of the model, as in a log.
        own = trainer.model.loss_weights
        known = {name: 0.0 for name, weight in own.items() if not weight} | state.weights
        if known.keys() != own.keys():
            raise _unusable(f"weights of the losses {', '.join(state.weights) or '(none)'}")
        state.weights = {name: known[name] for name in own}
        if state.best_epoch is not None:
            # It is there after a crash before its last renaming.
            of_saving = _best_of(folder, saved.stamp)
            _restore_best(of_saving if of_saving.exists() else folder / BEST, trainer, state)
        _restore_moments(tensors, trainer)
        trainer.sampler.restore(state.sampler)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise _unusable(_in_short(error)) from None
    trainer.model.load_state_dict(parameters)
    trainer.model.loss_weights = state.weights
    trainer.state = state


def restore_together(folder: Path | None, trainer: Training) -> None:
    """:func:`restore_last` in all processes, of the files of process 0; the others have no folder."""
    world = trainer.world
    if world.size == 1:
        assert folder is not None
        restore_last(folder, trainer)
        return
    with tempfile.TemporaryDirectory() as copies:
        files = sorted(path for path in folder.iterdir() if path.is_file()) if folder else []
        names = world.gather("\n".join(path.name for path in files).encode())[0].decode()
        for number, name in enumerate(names.splitlines()):
            content = world.gather(files[number].read_bytes() if folder else b"")[0]
            if folder is None:
                (Path(copies) / name).write_bytes(content)
        restore_last(folder or Path(copies), trainer)


def _restore_moments(state: dict[str, Tensor], trainer: Training) -> None:
    """Hand every optimiser its own moments.

    Raises:
        ValueError: moments of other optimisers, or of other shapes; none has taken any of them.
    """
    by_optimizer: dict[str, dict[str, Tensor]] = {name: {} for name in trainer.optimizers}
    for key, moment in state.items():
        if not key.startswith(OPTIMIZER):
            continue
        owner, _, name = key.removeprefix(OPTIMIZER).partition(".")
        if owner.isdecimal():
            owner, name = UNNAMED, f"{owner}.{name}"
        if owner not in by_optimizer:
            raise ValueError(f"moments of an optimiser {owner[:40]!r}")
        by_optimizer[owner][name] = moment
    for name, optimizer in trainer.optimizers.items():
        optimizer.check(by_optimizer[name])
    for name, optimizer in trainer.optimizers.items():
        optimizer.restore(by_optimizer[name])


def _parameters_of(folder: Path, stamp: str) -> Path:
    return folder / f"last.{stamp}.safetensors"


def _state_of(folder: Path, stamp: str) -> Path:
    return folder / f"last.{stamp}.state.safetensors"


def _best_of(folder: Path, stamp: str) -> Path:
    """Where ``best`` waits until ``last.json`` is there."""
    return folder / f"best.{stamp}.safetensors"


def _read_state(folder: Path) -> SavedState:
    try:
        return SavedState.model_validate_json((folder / STATE_FILE).read_bytes(), strict=True)
    except OSError as error:
        raise _unusable(f"no {STATE_FILE} ({error.strerror})") from None
    except ValueError as error:
        raise _unusable(_in_short(error)) from None


def _in_short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _check_parameters(
    path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], model: Recommender
) -> int:
    """Refuse parameters that are not finite ones of ``model``; returns their epoch."""
    if metadata.get("model") != model.name:
        raise CheckpointError(
            expected=f"parameters of the model {model.name} in {path.name}",
            found=f"those of {metadata.get('model')!r}",
            remedy="choose the checkpoint that belongs to this run",
        )
    expected = model.state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        want, have = _kind(expected.get(name)), _kind(tensors.get(name))
        if want != have:
            raise CheckpointError(
                expected=f"{want} as {name} in {path.name}",
                found=have,
                remedy="use the configuration and the data set that the checkpoint was trained with",
            )
    for name, tensor in tensors.items():
        if not bool(tensor.isfinite().all()):
            raise CheckpointError(
                expected=f"finite numbers in {path.name}",
                found=f"NaN or infinity in {name}",
                remedy="choose another checkpoint",
            )
    epoch = metadata.get("epoch", "")
    if not EPOCH.fullmatch(epoch):
        raise CheckpointError(
            expected=f"the number of an epoch in the metadata of {path.name}",
            found=repr(epoch[:40]),
            remedy="choose a checkpoint that this project wrote",
        )
    return int(epoch)


def _kind(tensor: Tensor | None) -> str:
    """What two tensors must agree on, in words."""
    if tensor is None:
        return "nothing"
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"


def _restore_best(path: Path, trainer: Training, state: TrainingState) -> None:
    parameters, metadata = _load(path)
    epoch = _check_parameters(path, parameters, metadata, trainer.model)
    if epoch != state.best_epoch:
        raise _unusable(f"the best epoch {epoch} beside a saving whose best is {state.best_epoch}")
    state.best_score = state.best_valid[trainer.config.select_by]
    trainer.best_parameters = parameters


def _encode(tensors: dict[str, Tensor], metadata: dict[str, str]) -> bytes:
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content: bytes = save(plain, metadata)
    return content


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
