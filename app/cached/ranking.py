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
    from rednd_core.data.schema import Dataset
    from rednd_core.evaluation.evaluate import Evaluation
    from rednd_core.evaluation.recommend import Recommendations

CUT_OFFS = tuple(range(5, 51, 5))  # lengths of the lists on the page Recommendations


@st.cache_resource(max_entries=16, show_spinner="Ranking every held-out item …")
def _evaluation(path: str, version: str | None, digest: str, split: str, _run: Run) -> Any:
    from rednd_core.evaluation.evaluate import evaluate
    from rednd_core.evaluation.sample import sample_held_out

    index, of = layers(_run), run_dataset(_run)
    held_out = sample_held_out(of.held_out(split), of.n_items)
    return evaluate(index.user_emb, index.item_emb, of.train_matrix, held_out, CUT_OFFS)


def evaluation(run: Run, split: str) -> Evaluation:
    """Exact ranks of the held-out pairs of ``"test"`` or ``"valid"``, metrics at ``CUT_OFFS``.

    On large data of a sample of users (see ``rednd_core.evaluation.sample``).
    """
    digest = run_dataset(run).digest
    return cast("Evaluation", _evaluation(str(run.path), run.layer_version, digest, split, run))


@st.cache_resource(max_entries=64, show_spinner=False)
def _evaluation_of(
    path: str, version: str | None, digest: str, split: str, user: int, _run: Run
) -> Any:
    import numpy as np

    from rednd_core.data.schema import Interactions
    from rednd_core.evaluation.evaluate import Evaluation
    from rednd_core.evaluation.recommend import ranks_of

    index, of = layers(_run), run_dataset(_run)
    held_out = of.held_out(split)
    items = held_out.items[held_out.users == user]
    if not len(items):
        return None
    ranks = ranks_of(index.user_emb, index.item_emb, of.train_matrix, user, items)
    own = Interactions(np.full(len(items), user), items)
    return Evaluation(own, ranks, CUT_OFFS, of.user_degrees[[user]])


def evaluation_of(run: Run, split: str, user: int) -> Evaluation | None:
    """The evaluation of one user alone; None without held-out items."""
    digest = run_dataset(run).digest
    found = _evaluation_of(str(run.path), run.layer_version, digest, split, user, run)
    return cast("Evaluation | None", found)


@st.cache_data(max_entries=4, show_spinner=False)
def _n_evaluable(digest: str, split: str, _of: Dataset) -> int:
    import numpy as np

    return int(np.count_nonzero(np.bincount(_of.held_out(split).users)))


def n_evaluable(of: Dataset, split: str) -> int:
    """Users with held-out items of ``split``, whether they are evaluated or not."""
    return _n_evaluable(of.digest, split, of)


@st.cache_resource(max_entries=256, show_spinner=False)
def _recommendations(
    path: str, version: str | None, digest: str, split: str, user: int, k: int, _run: Run
) -> Any:
    from rednd_core.evaluation.recommend import recommend

    index, of = layers(_run), run_dataset(_run)
    held_out = of.held_out(split)
    return recommend(index.user_emb, index.item_emb, of.train_matrix, user, k, held_out)


def recommendations(run: Run, split: str, user: int, k: int) -> Recommendations:
    """The list of one user and the ranks of the held-out items that it missed."""
    digest = run_dataset(run).digest
    version = run.layer_version
    found = _recommendations(str(run.path), version, digest, split, user, k, run)
    return cast("Recommendations", found)


@st.cache_data(max_entries=256, show_spinner=False)
def _ranks(
    path: str, version: str | None, digest: str, user: int, items: tuple[int, ...], _run: Run
) -> dict[int, int]:
    import numpy as np

    from rednd_core.evaluation.recommend import ranks_of

    index, of = layers(_run), run_dataset(_run)
    wanted = np.asarray(items, dtype=np.int64)
    ranks = ranks_of(index.user_emb, index.item_emb, of.train_matrix, user, wanted)
    return dict(zip(items, ranks.tolist(), strict=True))


def ranks(run: Run, user: int, items: Sequence[int]) -> dict[int, int]:
    """Exact rank of each of ``items``, none of which the user has in train."""
    digest = run_dataset(run).digest
    wanted = tuple(int(item) for item in items)
    return _ranks(str(run.path), run.layer_version, digest, user, wanted, run)


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
