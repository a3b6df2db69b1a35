"""From a folder or file to one frozen :class:`Dataset`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from rednd_core.config import NO_INTERACTIONS, DataConfig, parse_settings
from rednd_core.data.ids import IdArray, json_blocks
from rednd_core.data.items import align_items
from rednd_core.data.parts import Parts, read_parts
from rednd_core.data.schema import Dataset, FloatArray, Interactions, Split

_MOST_MODALITIES = 6
"""Of so many files of features, every choice is tried for the one that a run has read."""


def load_dataset(path: str | Path, **settings: Any) -> Dataset:
    """Read, validate and split a data set; see ``docs/data_format.md`` for the layouts.

    Args:
        path: a folder, an archive, or an interaction file whose folder holds features and further tables.
        settings: fields of :class:`~rednd_core.config.DataConfig`, e.g. ``split="leave_last_out"``.

    Raises:
        DataError: the first problem; :func:`rednd_core.data.report.check` lists all.
        ConfigError: an unknown or impossible setting.
    """
    return load_configured(
        parse_settings(DataConfig, {"path": str(path), **settings}, "data setting")
    )


def load_configured(config: DataConfig) -> Dataset:
    """The data set that a configuration describes; raises as :func:`load_dataset`."""
    return as_dataset(read_parts(config))


def load_recorded(
    config: DataConfig, digest: str | None, pairs_digest: str | None = None
) -> Dataset:
    """The data set that a run was trained on.

    Runs made before ids were labels numbered users and items as the file had them, and their layers are
    in that order: where the digest says so, the data are numbered in that way. Modalities that were added
    to the folder since are left out where the digest says that the run has not read them.

    Args:
        digest: what the run recorded; None takes the data as they are.
        pairs_digest: what a run has recorded that reads no features, which then may have changed.
    """
    dataset = load_configured(config)
    if digest in (None, dataset.digest) or dataset.pairs_digest in (digest, pairs_digest):
        return dataset
    if (before := _without_added_features(dataset, digest)) is not None:
        return before
    former = read_parts(config, numbered_by_file=True)
    if former.errors:
        return dataset
    as_recorded = as_dataset(former)
    return as_recorded if as_recorded.digest == digest else dataset


def _without_added_features(dataset: Dataset, digest: str | None) -> Dataset | None:
    """The data set with those of its modalities that have the recorded digest; None where none have."""
    names = sorted(dataset.features)[:_MOST_MODALITIES]
    for n in range(len(names) - 1, 0, -1):
        for kept in combinations(names, n):
            features = {name: dataset.features[name] for name in kept}
            found = digests(dataset.split, dataset.user_ids, dataset.item_ids, features)[1]
            if found == digest:
                return replace(dataset, features=features, digest=digest)
    return None


def as_dataset(parts: Parts) -> Dataset:
    """Parts that fit together as one frozen data set.

    Raises:
        DataError: the first of their problems.
    """
    if parts.errors:
        raise parts.errors[0]
    assert parts.table is not None
    assert parts.item_ids is not None
    assert parts.split is not None
    features = {table.modality: table.values for table in parts.features}
    of_pairs, whole = digests(parts.split, parts.table.user_ids, parts.item_ids, features)
    return Dataset(
        name=_name(parts.path),
        path=str(parts.path),
        n_users=len(parts.table.user_ids),
        n_items=len(parts.item_ids),
        split=parts.split,
        user_ids=parts.table.user_ids,
        item_ids=parts.item_ids,
        features=features,
        items=align_items(parts.listed, parts.item_ids),
        digest=whole,
        pairs_digest=of_pairs,
        notices=parts.notices,
        recognised=parts.recognised,
        left_out=parts.left_out,
        users_table=parts.users_table,
        users_problem=parts.users_problem,
    )


def without_interactions(name: str, user_ids: Sequence[str], item_ids: Sequence[str]) -> Dataset:
    """Users and items of which nothing is known but their ids, e.g. those of imported vectors."""
    users, items = (np.asarray(ids, dtype=object) for ids in (user_ids, item_ids))
    nothing = Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    nobody = Split(nothing, nothing, nothing)
    return Dataset(
        name=name,
        path=NO_INTERACTIONS,
        n_users=len(users),
        n_items=len(items),
        split=nobody,
        user_ids=users,
        item_ids=items,
        features={},
        items=align_items(None, items),
        digest=digests(nobody, users, items, {})[1],
    )


def _name(place: Path) -> str:
    """The folder's name, or the file's without its endings."""
    return place.name if place.is_dir() else Path(place.name.removesuffix(".gz")).stem


def digests(
    split: Split, user_ids: IdArray, item_ids: IdArray, features: Mapping[str, FloatArray]
) -> tuple[str, str]:
    """BLAKE2b over ids and split pairs (in canonical order already), and over these and the features."""
    digest = hashlib.blake2b(digest_size=16)
    for ids in (user_ids, item_ids):
        for block in json_blocks(ids):
            digest.update(block)
    for pairs in (split.train, split.valid, split.test):
        digest.update(f"|{len(pairs)}|".encode())
        for column in (pairs.users, pairs.items):
            digest.update(np.ascontiguousarray(column, dtype="<i8").data)
    of_pairs = digest.hexdigest()
    for modality in sorted(features):
        values = features[modality]
        digest.update(f"|{modality}{values.shape}|".encode())
        digest.update(np.ascontiguousarray(values, dtype="<f4").data)
    return of_pairs, digest.hexdigest()
