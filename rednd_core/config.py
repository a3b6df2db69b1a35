"""Typed, strict settings of a run. Unknown keys raise; nothing falls back in silence.

A run is described by :class:`RunConfig`: where the data is, which model with which hyper-parameters,
and how it is trained. Hyper-parameters are validated by the model's own class (see
``rednd_core.modeling.registry``), because a model file owns its settings; here they are plain JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from rednd_core.errors import ConfigError, DataError, unknown_name

PROJECT_ROOT = Path(__file__).resolve().parent.parent

M = TypeVar("M", bound="StrictModel")

Device = Literal["auto", "cpu", "cuda"]
Engine = Literal["auto", "dgl", "csr"]
SplitRule = Literal["auto", "given", "random", "leave_last_out", "global_time"]

Ratio = Annotated[float, Field(ge=0, le=1)]

MODALITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What a modality may be called: in feature files, settings and the layers of a run alike. No two of one
run may differ by case only, as many file systems take ``Image_0.npy`` and ``image_0.npy`` for one file."""
MOST_MODALITIES = 16


def _is_none(value: object) -> bool:
    return value is None


class StrictModel(BaseModel):
    """Frozen settings that refuse unknown keys and non-finite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)


class ColumnNames(StrictModel):
    """What the columns are called. A name other than the default must be in the file; a default need not."""

    user: str = Field(default="userID", min_length=1)
    item: str = Field(default="itemID", min_length=1)
    label: str = Field(default="x_label", min_length=1)
    timestamp: str = Field(default="timestamp", min_length=1)
    rating: str = Field("rating", min_length=1, exclude_if=lambda name: name == "rating")


NO_INTERACTIONS = "(no interactions)"
"""The path of the data set of a run that was imported as vectors alone."""


class DataConfig(StrictModel):
    """Where the interactions are, which of them count and how they are split.

    ``split="auto"`` uses the labels in the file and falls back to ``random`` where there are none.

    Attributes:
        layout: a name of ``rednd_core.data.layouts``; ``"auto"`` recognises it.
        rating_threshold: the least rating that counts as a like; None: every row counts.
        min_interactions: users and items with fewer pairs are left out, again and again until none has
            fewer (the k-core).
        sample_users: so many users are drawn at random, by ``split_seed``; None: all.
        text_features: ``"tfidf"``, or the folder of a sentence-transformers model, makes the modality
            ``text`` from titles, categories and descriptions; None makes none.
    """

    path: str
    split: SplitRule = "auto"
    ratios: tuple[Ratio, Ratio, Ratio] = (0.8, 0.1, 0.1)
    split_seed: int = Field(0, ge=0, lt=2**32)
    columns: ColumnNames | None = None
    # Unused choices are not written: the names of sweeps and studies are made of what is.
    layout: str = Field("auto", exclude_if=lambda name: name == "auto")
    rating_threshold: float | None = Field(None, exclude_if=_is_none)
    min_interactions: int = Field(1, ge=1, le=1_000_000, exclude_if=lambda least: least == 1)
    sample_users: int | None = Field(None, ge=1, exclude_if=_is_none)
    text_features: str | None = Field(None, min_length=1, exclude_if=_is_none)


class TrainingConfig(StrictModel):
    """The training protocol; the defaults follow the paper but for the learning rate."""

    epochs: int = Field(
        1000, ge=1, le=100_000, title="Epochs, at most", description="Most epochs to train"
    )
    batch_size: int = Field(
        2048, ge=1, le=1_000_000, title="Batch size", description="Interactions a batch"
    )
    learning_rate: float = Field(
        1e-3, gt=0, le=1, title="Learning rate", description="Adam's learning rate"
    )
    patience: int = Field(
        20,
        ge=1,
        le=10_000,
        title="Patience, in validations",
        description="Validations without a better result before stopping",
    )
    eval_every: int = Field(
        1,
        ge=1,
        le=1000,
        title="Epochs per validation",
        description="Epochs from one validation to the next",
    )
    select_by: str = Field(
        "recall@20",
        title="Best epoch by",
        description="Validation metric that chooses the epoch: recall, ndcg, precision, map or hit_rate, "
        "at one of the cut-offs",
    )
    ks: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (5, 10, 20, 50),
        min_length=1,
        title="Cut-offs K of the metrics",
        description="Lengths of the lists that the ranking metrics look at",
    )
    seed: int = Field(
        999, ge=0, lt=2**32, title="Seed", description="Seed of weights, batches and negatives"
    )
    device: Device = Field("auto", title="Device", description="Where to train")
    engine: Engine = Field(
        "auto", title="Sparse engine", description="What multiplies by the graph"
    )
    snapshot_mb: int = Field(
        10,
        ge=0,
        le=1000,
        title="Snapshots, in MB at most",
        description="Megabytes for snapshots of the layers, which the page Depth replays over the epochs; 0 "
        "keeps none",
        # The usual size is not written: the names of sweeps and studies are made of what is.
        exclude_if=lambda size: size == 10,
    )

    @field_validator("ks")
    @classmethod
    def _sorted_unique(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(ks)))


class RunConfig(StrictModel):
    """Everything that, with the code and the data, determines a run."""

    model: str
    data: DataConfig
    hyperparameters: dict[str, JsonValue] = Field(default_factory=dict)
    training: TrainingConfig = Field(default_factory=TrainingConfig)


def clean_path(path: str) -> str:
    """A path without the quotes or the ``file://`` that other programs copy with it."""
    stripped = path.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'":
        stripped = stripped[1:-1]
    if stripped.lower().startswith("file:/"):
        stripped = unquote(urlsplit(stripped).path)
    return stripped


def resolve_data_path(path: str) -> Path:
    """Absolute form of a data path; a relative one may also start at the project's folder.

    So the bundled runs find ``sample_data/shop`` from any working directory.

    Raises:
        DataError: no file can be called so, e.g. as it begins with the home of an unknown user.
    """
    try:
        candidate = Path(clean_path(path)).expanduser()
        if not candidate.is_absolute() and not candidate.exists():
            bundled = PROJECT_ROOT / candidate
            if bundled.exists():
                return bundled
        return candidate.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).rstrip(".")
        raise DataError(
            expected="the path of a data folder or file",
            found=f"{path[:120]!r} ({reason[:120]})",
            remedy="check the path and its permissions",
        ) from None


def portable_path(place: Path) -> str:
    """An absolute path as a run keeps it, found from any working directory.

    Inside the project it is relative to it, so that runs on bundled data can be carried to other machines.
    """
    if place.is_relative_to(PROJECT_ROOT):
        return place.relative_to(PROJECT_ROOT).as_posix()
    return str(place)


def parse_settings(cls: type[M], values: dict[str, Any], kind: str) -> M:
    """Build ``cls`` from ``values``; pydantic's findings become one :class:`ConfigError` sentence."""
    for key in values:
        if key not in cls.model_fields:
            raise unknown_name(kind, key, cls.model_fields)
    try:
        settings = cls(**values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or kind
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            expected=f"a valid value for {where} ({message[:1].lower()}{message[1:]})",
            found=repr(first.get("input")),
            remedy="change that setting",
        ) from None
    understood = settings.model_dump()
    for key, value in values.items():  # pydantic takes true for 1
        if _holds_truth(value) and not _holds_truth(understood[key]):
            raise ConfigError(
                expected=f"numbers for {key}", found=repr(value), remedy="change that setting"
            )
    return settings


def _holds_truth(value: object) -> bool:
    """Whether ``True`` or ``False`` is in a plain value."""
    if isinstance(value, Mapping):
        return any(map(_holds_truth, value.values()))
    return isinstance(value, bool) or (
        isinstance(value, list | tuple) and any(map(_holds_truth, value))
    )
