"""What a run says of its data set, and the metrics of its vectors: written once, whoever trained them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rednd_core.data.schema import Dataset
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.runs.facts import DataFacts
from rednd_core.runs.record import EvaluationRecord
from rednd_core.runs.writer import RunWriter


def record_metrics(
    writer: RunWriter,
    dataset: Dataset,
    user_emb: Any,
    item_emb: Any,
    ks: Sequence[int],
    *,
    epoch: int,
    read_test: bool = True,
) -> EvaluationRecord:
    """Write the metrics and per-user metrics of vectors that score by inner product; the one look at test.

    Args:
        user_emb, item_emb: (n_users, D) and (n_items, D), arrays or tensors.
    """
    metrics: dict[str, dict[str, float]] = {"valid": {}, "test": {}}
    n_users: dict[str, int] = {}
    frames = []
    splits = {"valid": dataset.valid} | ({"test": dataset.test} if read_test else {})
    for name, held_out in splits.items():
        n_users[name] = 0
        if not len(held_out):  # a data set may come without test pairs
            continue
        found = evaluate(user_emb, item_emb, dataset.train_matrix, held_out, ks)
        metrics[name], n_users[name] = dict(found.metrics), found.n_users
        frames.append(per_user_rows(found, dataset, name))
    record = EvaluationRecord.model_validate({"epoch": epoch, **metrics, "n_users": n_users})
    writer.save_evaluation(record)
    if frames:
        writer.save_per_user(pd.concat(frames, ignore_index=True))
    return record


def per_user_rows(found: Evaluation, dataset: Dataset, split: str) -> pd.DataFrame:
    """The rows of per_user.parquet for one split: ``user``, ``user_id``, ``split`` and the metrics."""
    rows = found.per_user.assign(split=split)
    rows.insert(1, "user_id", np.asarray(dataset.user_ids[found.users]))
    return rows


def data_facts(dataset: Dataset, *, reads_features: bool = True) -> DataFacts:
    """What a run on a data set records about it.

    Args:
        reads_features: whether the model reads any; if not, the run stays valid when they change.
    """
    return DataFacts(
        name=dataset.name,
        digest=dataset.digest,
        n_users=dataset.n_users,
        n_items=dataset.n_items,
        n_train=len(dataset.train),
        n_valid=len(dataset.valid),
        n_test=len(dataset.test),
        pairs_digest=dataset.pairs_digest or None,
        reads_features=reads_features,
    )
