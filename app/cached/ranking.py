"""Rankings: evaluations, lists of one user, slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from app.cached.data import run_dataset
from app.cached.runs import layers
from rednd_core.runs import Run

if TYPE_CHECKING:
    from rednd_core.evaluation.evaluate import Evaluation
    from rednd_core.evaluation.recommend import Recommendations

CUT_OFFS = tuple(range(5, 51, 5))  # lengths of the lists on the page Recommendations


@st.cache_resource(max_entries=16, show_spinner="Ranking every held-out item …")
def _evaluation(path: str, version: str | None, digest: str, split: str, _run: Run) -> Any:
    from rednd_core.evaluation.evaluate import evaluate

    index, of = layers(_run), run_dataset(_run)
    held_out = of.test if split == "test" else of.valid
    return evaluate(index.user_emb, index.item_emb, of.train_matrix, held_out, CUT_OFFS)


def evaluation(run: Run, split: str) -> Evaluation:
    """Exact ranks of the held-out pairs of ``"test"`` or ``"valid"``, metrics at ``CUT_OFFS``."""
    digest = run_dataset(run).digest
    return cast("Evaluation", _evaluation(str(run.path), run.layer_version, digest, split, run))


@st.cache_resource(max_entries=256, show_spinner=False)
def _recommendations(
    path: str, version: str | None, digest: str, split: str, user: int, k: int, _run: Run
) -> Any:
    from rednd_core.evaluation.recommend import recommend

    index, of = layers(_run), run_dataset(_run)
    held_out = of.test if split == "test" else of.valid
    return recommend(index.user_emb, index.item_emb, of.train_matrix, user, k, held_out)


def recommendations(run: Run, split: str, user: int, k: int) -> Recommendations:
    """The list of one user and the ranks of the held-out items that it missed."""
    digest = run_dataset(run).digest
    version = run.layer_version
    found = _recommendations(str(run.path), version, digest, split, user, k, run)
    return cast("Recommendations", found)


@st.cache_resource(max_entries=16, show_spinner="Comparing the slices …")
def _slices(
    paths: tuple[tuple[str, str | None], ...],
    digest: str,
    split: str,
    metric: str,
    _runs: Sequence[Run],
) -> pd.DataFrame:
    from rednd_core.evaluation.overview import slice_overview

    found = {run.name: evaluation(run, split) for run in _runs}
    return slice_overview(found, metric, run_dataset(_runs[0]).item_degrees)


def slices(runs: Sequence[Run], split: str, metric: str) -> pd.DataFrame:
    """A metric on every slice of users and items (see ``evaluation.overview``), one or two runs."""
    keys = tuple((str(run.path), run.layer_version) for run in runs)
    return _slices(keys, run_dataset(runs[0]).digest, split, metric, runs)
