"""What a data set holds and what is wrong with it, for ``rednd data check`` and the Data page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rednd_core.config import DataConfig, parse_settings
from rednd_core.data.features import FeatureTable
from rednd_core.data.ids import id_column
from rednd_core.data.parts import Parts, read_parts
from rednd_core.data.schema import IntArray, Notice
from rednd_core.errors import DataError


@dataclass(frozen=True)
class DegreeFigures:
    """Train interactions of every user, or of every item."""

    min: int
    median: float
    max: int
    n_isolated: int


@dataclass(frozen=True)
class InteractionFigures:
    """Sizes of the split graph.

    Attributes:
        density: pairs of all three parts over n_users * n_items.
        users, items: degrees in the train graph.
        gini: inequality of item popularity in train, 0 (all alike) to 1 (one item has everything).
    """

    n_users: int
    n_items: int
    n_train: int
    n_valid: int
    n_test: int
    density: float
    users: DegreeFigures
    items: DegreeFigures
    gini: float


@dataclass(frozen=True)
class FeatureFigures:
    """One modality; ``dtype`` is that of the file, ``mean_norm`` the mean Euclidean row norm.

    ``n_zero_rows`` are zero in the file, ``n_missing_rows`` are NaN there: the item has no such modality.
    """

    modality: str
    rows: int
    dim: int
    dtype: str
    n_zero_rows: int
    n_missing_rows: int
    mean_norm: float


@dataclass(frozen=True)
class DataReport:
    """Everything found about one data set.

    Attributes:
        errors: complete sentences; empty where the data can be trained on.
        recognised: what the files were taken for, one sentence.
        preview: the first rows as they were understood, role -> value.
        left_out: files and columns that were not read.
        interactions: None where the interactions or the split could not be read.
        features: the readable modalities.
        item_columns: columns of the items table, without the key.
        n_titles: items with a title of their own.
    """

    path: str
    errors: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    recognised: str = ""
    preview: tuple[dict[str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    interactions: InteractionFigures | None = None
    features: tuple[FeatureFigures, ...] = ()
    item_columns: tuple[str, ...] = ()
    n_titles: int = 0

    @property
    def ok(self) -> bool:
        """Whether :func:`load_dataset` with the same arguments succeeds."""
        return not self.errors

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with ``ok``."""
        return {"ok": self.ok, **asdict(self)}


def check(path: str | Path, **settings: Any) -> DataReport:
    """Read a data set as ``load_dataset`` would and report; bad data never raises.

    Raises:
        ConfigError: an unknown or impossible setting.
    """
    return check_configured(
        parse_settings(DataConfig, {"path": str(path), **settings}, "data setting")
    )


def check_configured(config: DataConfig) -> DataReport:
    """The report on what a configuration describes; raises as :func:`check`."""
    try:
        parts = read_parts(config)
    except DataError as error:
        return DataReport(path=config.path, errors=(str(error),))
    listed = parts.listed
    return DataReport(
        path=str(parts.path),
        errors=tuple(str(error) for error in parts.errors),
        notices=parts.notices,
        recognised=parts.recognised,
        preview=parts.preview,
        left_out=parts.left_out,
        interactions=_interaction_figures(parts),
        features=tuple(_feature_figures(modality) for modality in parts.features),
        item_columns=() if listed is None else tuple(listed.columns[1:]),
        n_titles=_n_titles(parts),
    )


def gini(counts: IntArray) -> float:
    """Gini coefficient of non-negative counts, (n,): 0 where all are alike, or all zero."""
    n, total = len(counts), int(counts.sum())
    if total == 0:
        return 0.0
    ranked = np.sort(counts)
    return float(2 * np.dot(np.arange(1, n + 1), ranked) / (n * total) - (n + 1) / n)


def _n_titles(parts: Parts) -> int:
    """Items that the items table gives a title; all its rows where the items could not be settled."""
    listed = parts.listed
    if listed is None or "title" not in listed:
        return 0
    named = listed["title"] != ""
    if parts.item_ids is not None:
        named &= listed["item_id"].isin(id_column(parts.item_ids))
    return int(named.sum())


def _interaction_figures(parts: Parts) -> InteractionFigures | None:
    if parts.table is None or parts.split is None:
        return None
    # without a settled item space (an error says why) the ids of the interactions stand in
    item_ids = parts.table.item_ids if parts.item_ids is None else parts.item_ids
    n_users, n_items = len(parts.table.user_ids), len(item_ids)
    train, valid, test = parts.split.train, parts.split.valid, parts.split.test
    popularity = np.bincount(train.items, minlength=n_items)
    return InteractionFigures(
        n_users=n_users,
        n_items=n_items,
        n_train=len(train),
        n_valid=len(valid),
        n_test=len(test),
        density=(len(train) + len(valid) + len(test)) / (n_users * n_items),
        users=_degree_figures(np.bincount(train.users, minlength=n_users)),
        items=_degree_figures(popularity),
        gini=gini(popularity),
    )


def _degree_figures(degrees: IntArray) -> DegreeFigures:
    return DegreeFigures(
        min=int(degrees.min()),
        median=float(np.median(degrees)),
        max=int(degrees.max()),
        n_isolated=int(np.count_nonzero(degrees == 0)),
    )


def _feature_figures(table: FeatureTable) -> FeatureFigures:
    rows, dim = table.values.shape
    squares = np.einsum("ij,ij->i", table.values, table.values, dtype=np.float64)
    return FeatureFigures(
        modality=table.modality,
        rows=rows,
        dim=dim,
        dtype=table.dtype,
        n_zero_rows=table.n_zero_rows,
        n_missing_rows=table.n_missing_rows,
        mean_norm=float(np.sqrt(squares).mean()),
    )
