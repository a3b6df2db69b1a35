"""The look at test of a run that was trained without it, once it is known to be the chosen one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rednd_core.data import load_recorded
from rednd_core.errors import RunError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.runs.record import EvaluationRecord
from rednd_core.runs.run import Run
from rednd_core.runs.writer import RunWriter
from rednd_core.training.results import per_user_rows


def record_test(writer: RunWriter) -> EvaluationRecord:
    """Add the test results to a run that was trained without: the one look at test, afterwards.

    Ranks by the stored embeddings, which are the best checkpoint's.

    Raises:
        RunError: the run has no results yet, or its data set has changed.
    """
    run, config = Run(writer.path), writer.record.config
    evaluation, per_user = run.evaluation(), run.per_user()
    if evaluation is None or per_user is None:
        raise RunError(
            expected=f"the validation results of run {run.name}",
            found="none",
            remedy="train the run to its end first",
        )
    record = writer.record
    dataset = load_recorded(config.data, record.data_digest, record.pairs_digest)
    record.require_data(dataset.digest, dataset.pairs_digest)
    metrics, n_users = {}, 0
    if len(dataset.test):
        found = evaluate(*run.embeddings(), dataset.train_matrix, dataset.test, config.training.ks)
        metrics, n_users = dict(found.metrics), found.n_users
        valid = per_user[per_user["split"] == "valid"]
        valid = valid.assign(user_id=np.asarray(dataset.user_ids[valid["user"].to_numpy()]))
        rows = [valid, per_user_rows(found, dataset, "test")]
        writer.save_per_user(pd.concat(rows, ignore_index=True))
    changes = {"test": metrics, "n_users": evaluation.n_users | {"test": n_users}}
    evaluation = evaluation.model_copy(update=changes)
    writer.save_evaluation(evaluation)
    return evaluation
