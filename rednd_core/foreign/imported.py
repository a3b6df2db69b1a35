"""A run made of vectors that another program has trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rednd_core.atomic import remove_folder
from rednd_core.config import NO_INTERACTIONS, DataConfig, RunConfig
from rednd_core.data.dataset import load_configured, without_interactions
from rednd_core.data.schema import Dataset, FloatArray
from rednd_core.data.tables import listing
from rednd_core.errors import CheckpointError, ConfigError
from rednd_core.foreign.files import STATE_DICTS
from rednd_core.foreign.layers import MODALITY, FoundLayers, cut, found_layers
from rednd_core.foreign.roles import Side, Vectors, of_arrays, of_checkpoint
from rednd_core.foreign.row_order import Matched, Order, match_rows, rows_of_nodes
from rednd_core.foreign.tables import FoundTable, read_tables
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.modeling.registry import IMPORTED
from rednd_core.readout import Rule
from rednd_core.reproducibility import versions
from rednd_core.runs import Provenance, Run, RunStore
from rednd_core.runs.store import new_run
from rednd_core.smoothness.depth import MAX_DEPTH
from rednd_core.training.results import data_facts, record_metrics

Pair = tuple[Side, Side]


@dataclass(frozen=True)
class How:
    """How vectors are to be understood.

    Attributes:
        propagate: the vectors are x^0 of a graph model, and so many steps of LightGCN's propagation follow.
            None: they are what they are.
        order: how rows without ids are numbered.
        readout: how layers become what scores, where no scoring vectors are given.
        user_key, item_key: names of the tables of users and items; None finds them.
    """

    propagate: int | None = None
    order: Order = "auto"
    readout: Rule = "mean"
    user_key: str | None = None
    item_key: str | None = None


def import_vectors(
    paths: Sequence[Path],
    store: RunStore,
    name: str | None = None,
    *,
    data: DataConfig | None = None,
    how: How = How(),
) -> tuple[Run, list[str]]:
    """Files of vectors, or a checkpoint, as a new run in state ``imported``.

    Args:
        paths: .npy, .npz, .safetensors, .parquet or .csv files, or a PyTorch checkpoint.
        data: the data set that the model was trained on; None where there is none: then whatever needs
            interactions stays closed.

    Returns:
        The run, and sentences about what was recognised and what does not match.

    Raises:
        CheckpointError: vectors that cannot be used. DataError: a data set that cannot be read.
        ConfigError: a way to understand them that cannot be.
    """
    _require_possible(how, data)
    dataset = None if data is None else load_configured(data)
    with read_tables(paths) as tables:
        from_checkpoint = any(path.suffix.lower() in STATE_DICTS for path in paths)
        vectors = _recognised(tables, dataset, how, from_checkpoint)
        scoring = vectors.scoring or vectors.layers[0]
        said = [f"Read as users and items: {scoring[0].name} and {scoring[1].name}."]
        match = None
        if dataset is None:
            dataset = without_interactions(paths[0].stem, *map(_ids, scoring))
        else:
            assert data is not None
            match, found = match_rows(*scoring, dataset, data, how.order)
            said += found
        layers = _layers(vectors, dataset, match, how)
    if from_checkpoint and how.propagate is None:
        said.append(
            "The tables score as they are, without propagation. Those of a graph model are its layer 0: "
            "import them with --propagate and its number of layers."
        )
    said += layers.said
    config = RunConfig(
        model=IMPORTED,
        data=data or DataConfig(path=NO_INTERACTIONS),
        hyperparameters={
            "files": [path.name for path in paths],
            "propagated_here": how.propagate or 0,
            "found": said,
        },
    )
    return _record(store, name, config, dataset, layers), said


def _require_possible(how: How, data: DataConfig | None) -> None:
    if (how.user_key is None) != (how.item_key is None):
        raise ConfigError(
            expected="--user-key and --item-key together",
            found="one of them",
            remedy="add the other",
        )
    if how.propagate is None:
        return
    if not 0 <= how.propagate <= MAX_DEPTH:
        raise ConfigError(
            expected=f"a number of propagation steps between 0 and {MAX_DEPTH}",
            found=str(how.propagate),
            remedy="choose one in that range",
        )
    if data is None:
        raise ConfigError(
            expected="a data set, along whose graph the vectors are propagated",
            found="none",
            remedy="add --data, or leave --propagate out",
        )


def _recognised(
    tables: Sequence[FoundTable], dataset: Dataset | None, how: How, from_checkpoint: bool
) -> Vectors:
    """The roles of the matrices; all pairs have the same numbers of rows, and the same ids."""
    named = how.user_key is not None or how.item_key is not None
    if from_checkpoint or named:
        vectors = of_checkpoint(tables, how.user_key, how.item_key)
    else:
        vectors = of_arrays(tables)
    n_users = None if dataset is None else dataset.n_users
    n_nodes = None if dataset is None else dataset.n_users + dataset.n_items
    vectors = cut(vectors, n_users, n_nodes)
    first, *rest = [*([vectors.scoring] if vectors.scoring else []), *vectors.layers]
    for pair in rest:
        for one, other in zip(first, pair, strict=True):
            if len(one.values) != len(other.values) or one.ids != other.ids:
                raise CheckpointError(
                    expected=f"the same rows in {one.name} and {other.name}",
                    found=f"{len(one.values):,} and {len(other.values):,}, or other ids",
                    remedy="save all layers of one model",
                )
    return vectors


def _ids(side: Side) -> Sequence[str]:
    """The ids of the rows; without any, their numbers."""
    if side.ids is None:
        return [str(row) for row in range(len(side.values))]
    if len(set(side.ids)) < len(side.ids):
        raise CheckpointError(
            expected=f"each id once in {side.name}",
            found=listing(sorted({each for each in side.ids if side.ids.count(each) > 1}), most=3),
            remedy="keep one row for each",
        )
    return side.ids


def _layers(vectors: Vectors, dataset: Dataset, match: Matched | None, how: How) -> FoundLayers:
    """The matrices in the order of the nodes, as layers."""

    def ordered(pair: Pair) -> tuple[FloatArray, FloatArray]:
        if match is None:
            return pair[0].values, pair[1].values
        return (
            rows_of_nodes(match.users, pair[0].values),
            rows_of_nodes(match.items, pair[1].values),
        )

    graph = None
    if match is not None:
        graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    return found_layers(
        [ordered(pair) for pair in vectors.layers],
        None if vectors.scoring is None else ordered(vectors.scoring),
        graph=graph,
        propagate=how.propagate,
        readout=how.readout,
    )


def _record(
    store: RunStore, name: str | None, config: RunConfig, dataset: Dataset, layers: FoundLayers
) -> Run:
    """The run, whole; nothing of it stays where it cannot be written."""
    writer = new_run(store, config, name or store.new_name(IMPORTED, dataset.name))
    try:
        origin = Provenance(seed=0, versions=versions())
        writer.describe(origin, data_facts(dataset, reads_features=False), layers.facts)
        writer.save_ids(dataset.user_ids, dataset.item_ids)
        writer.save_layers(
            {MODALITY: list(layers.states)}, layers.user_emb, layers.item_emb, epoch=0
        )
        if len(dataset.valid) or len(dataset.test):
            ks = config.training.ks
            record_metrics(writer, dataset, layers.user_emb, layers.item_emb, ks, epoch=0)
        writer.status("imported", message="Imported vectors; they were not trained here")
    except BaseException:
        remove_folder(writer.path)
        raise
    return Run(writer.path)
