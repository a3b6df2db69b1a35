"""Why scores are what they are: the run as products, misfits, evidence for verdicts, lists of all users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from app.cached.data import run_dataset
from app.cached.ranking import evaluation
from app.cached.runs import layers
from rednd_core.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rednd_core.data.schema import FloatArray, IntArray
    from rednd_core.evaluation.attribution import Attribution
    from rednd_core.evaluation.linear import LinearModel
    from rednd_core.evaluation.misfit import Misfits
    from rednd_core.evaluation.verdicts import Evidence, Verdicts

MOST_SCORES = 20_000_000
"""Scores of held-out pairs with all items: what takes about a second to rank again under every change."""


def _key(run: Run) -> tuple[str, str | None, str]:
    return str(run.path), run.layer_version, run_dataset(run).digest


@st.cache_resource(max_entries=4, show_spinner=False)
def _linear(key: tuple[str, str | None, str], _run: Run) -> Any:
    from rednd_core.errors import RedndError
    from rednd_core.evaluation.linear import reproduce
    from rednd_core.modeling.multimodal import item_graph_matrix
    from rednd_core.modeling.registry import model_class

    index, of, config, facts = layers(_run), run_dataset(_run), _run.config, _run.record.model
    if facts is None or not facts.linear_propagation:
        return None
    try:
        settings = model_class(config.model).settings_class(**config.hyperparameters)
        graph = item_graph_matrix(settings, of.features)
        weights = _weights(_run)
        return reproduce(of.train_matrix, index, index.user_emb, index.item_emb, weights, graph)
    except RedndError:  # A model from elsewhere, or embeddings without a block for every modality.
        return None


def linear_model(run: Run) -> LinearModel | None:
    """The run as products of x^0; None where these do not give the scores of the run."""
    from rednd_core.evaluation.linear import SAME

    found = cast("tuple[LinearModel, float] | None", _linear(_key(run), run))
    return found[0] if found and found[1] <= SAME else None


def _weights(run: Run) -> tuple[float, ...]:
    from rednd_core.evaluation.linear import readout_weights

    facts = layers(run).facts
    depth = max(len(of_layers) for of_layers in facts.widths.values()) - 1
    return readout_weights(facts.readout, depth)


@st.cache_resource(max_entries=64, show_spinner=False)
def _attribution(key: tuple[str, str | None, str], user: int, item: int, _run: Run) -> Any:
    from rednd_core.evaluation.attribution import attribute

    index, matrix = layers(_run), run_dataset(_run).train_matrix
    return attribute(index, _weights(_run), index.user_emb, index.item_emb, matrix, user, item)


def attribution(run: Run, user: int, item: int) -> Attribution:
    """The parts of one score.

    Raises:
        ConfigError, DataError: the readout or the embeddings of the model cannot be divided.
    """
    return cast("Attribution", _attribution(_key(run), user, item, run))


@st.cache_resource(max_entries=4, show_spinner=False)
def _misfits(digest: str, modalities: tuple[str, ...], _run: Run) -> Any:
    from rednd_core.evaluation.misfit import find_misfits

    of = run_dataset(_run)
    features = {m: of.features[m] for m in modalities}
    found = [find_misfits(features, m, of.train_matrix) for m in modalities]
    return [each for each in found if each is not None and len(each.items)]


def misfits(run: Run) -> Sequence[Misfits]:
    """Items whose features of a modality do not fit, for each modality of the run that has some."""
    of = run_dataset(run)
    modalities = tuple(m for m in layers(run) if m in of.features)
    return cast("Sequence[Misfits]", _misfits(of.digest, modalities, run))


@st.cache_resource(max_entries=8, show_spinner="Looking for what each failing user's list lacks …")
def _evidence(key: tuple[str, str | None, str], split: str, _run: Run) -> Any:
    from rednd_core.evaluation.verdicts import gather_evidence

    index, of = layers(_run), run_dataset(_run)
    linear = linear_model(_run)
    categories = of.items["category"].tolist() if "category" in of.items else None
    return gather_evidence(
        evaluation(_run, split),
        index.user_emb,
        index.item_emb,
        of.train_matrix,
        depths=_depths(_run),
        linear=linear,
        misfits=misfits(_run) if linear else (),
        categories=categories,
    )


def _depths(run: Run) -> Iterator[tuple[NDArray[np.floating], NDArray[np.floating]]]:
    """What would score at each depth, all modalities side by side; a shallow one stays at its last layer."""
    import numpy as np

    index = layers(run)
    n_users = len(index.user_emb)
    last: list[Any] = []
    for states in zip_longest(*(index.readouts(m) for m in index)):
        last = [
            was if state is None else state
            for state, was in zip(states, last or states, strict=True)
        ]
        wide = np.concatenate(last, axis=1)
        yield wide[:n_users], wide[n_users:]


def evidence(run: Run, split: str) -> Evidence:
    """Ranks of the held-out items under each change that a verdict looks at."""
    return cast("Evidence", _evidence(_key(run), split, run))


def judged_soon(run: Run, split: str) -> bool:
    """Whether the evidence is there within a second or so, and nobody has to ask for it."""
    held_out = evaluation(run, split).held_out
    return len(held_out) * run_dataset(run).n_items <= MOST_SCORES


def verdicts(run: Run, split: str, k: int) -> Verdicts:
    """Why the model fails, for every user without a held-out item among the first ``k``."""
    from rednd_core.evaluation.verdicts import judge

    return judge(evidence(run, split), k)


@st.cache_resource(max_entries=8, show_spinner="Making the lists of all users …")
def _lists(key: tuple[str, str | None, str], split: str, k: int, _run: Run) -> Any:
    from rednd_core.evaluation.ranking import top_k

    index, matrix = layers(_run), run_dataset(_run).train_matrix
    users = evaluation(_run, split).users
    return users, top_k(index.user_emb, index.item_emb, matrix, users, k)[0]


def lists(run: Run, split: str, k: int) -> tuple[IntArray, IntArray]:
    """The evaluated users (n,), and their lists (n, k), -1 where a list is shorter."""
    return cast("tuple[IntArray, IntArray]", _lists(_key(run), split, k, run))


@st.cache_resource(max_entries=8, show_spinner="Replacing what does not fit …")
def _misled(
    key: tuple[str, str | None, str], split: str, k: int, modality: str, users: bytes, _run: Run
) -> Any:
    import numpy as np

    from rednd_core.evaluation.misfit import misled

    model = linear_model(_run)
    assert model is not None
    chosen = np.frombuffer(users, dtype=np.int64)
    every, items = lists(_run, split, k)
    own = items[np.searchsorted(every, chosen)]
    (found,) = [each for each in misfits(_run) if each.modality == modality]
    return own, misled(model, found, chosen, own)


def misled_recommendations(
    run: Run, split: str, k: int, modality: str, users: IntArray
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Lists of some evaluated users, and what of them is there because features do not fit; (n, k) both.

    For runs with a verdict "modality misleads" only.
    """
    return cast(
        "tuple[IntArray, NDArray[np.bool_]]",
        _misled(_key(run), split, k, modality, users.tobytes(), run),
    )


def diversity_vectors(run: Run) -> FloatArray | None:
    """Features of all items side by side, rows of length 1 a modality; None without features."""
    import numpy as np

    from rednd_core.cosine import unit_rows

    features = run_dataset(run).features
    if not features:
        return None
    return np.concatenate([unit_rows(features[m]) for m in sorted(features)], axis=1)
