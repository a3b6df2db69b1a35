"""``rednd smoothness``: how alike a run's embeddings are, layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.options import (
    Json,
    RunName,
    RunsDir,
    open_store,
    print_json,
    show_table,
)
from rednd_core.errors import ConfigError
from rednd_core.library import load_run_data

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def smoothness(
    run: RunName,
    depth: Annotated[
        int | None,
        typer.Option(min=1, max=32, help="Keep propagating x^0 to this depth (linear models)."),
    ] = None,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """Measure how alike the embeddings are, per layer, users and items apart.

    Examples:

    * `rednd smoothness --run shop-lightgcn`
    * `rednd smoothness --run shop-lightgcn --depth 16 --json`
    """
    from rednd_core.graph.bipartite import bipartite_graph
    from rednd_core.smoothness import MEASURES, measure_layers, propagate_depth

    opened = open_store(runs_dir).open(run)
    dataset = load_run_data(opened)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    layers = opened.layers()
    arrays: dict[str, Sequence[NDArray[np.floating]]] = dict(layers)
    readouts: dict[str, Iterable[NDArray[np.floating]]] = {m: layers.readouts(m) for m in layers}
    if depth is not None:
        model = opened.record.model
        if model is None or not model.linear_propagation:
            raise ConfigError(
                expected="a model with linear propagation for --depth, such as lightgcn",
                found=opened.config.model,
                remedy="leave out --depth",
            )
        arrays = {m: propagate_depth(states[0], graph, depth) for m, states in arrays.items()}
        readouts = {m: layers.facts.readout.each(states) for m, states in arrays.items()}
    table = measure_layers(arrays, graph, readouts=readouts if as_json else None)
    if as_json:
        print_json({"run": run, "epoch": layers.epoch, "rows": table.to_dict("records")})
        return
    for modality in arrays:
        for side in ("users", "items", "all"):
            part = table[
                (table["modality"] == modality)
                & (table["side"] == side)
                & (table["view"] == "layer")
            ]
            if part.empty:
                continue
            wide = part.pivot_table(index="layer", columns="measure", values="value")
            names = [name for name in MEASURES if name in wide.columns]
            rows = [[k, *(f"{wide.loc[k, name]:.4g}" for name in names)] for k in wide.index]
            sizes = part.groupby("measure")["n"].first()
            n, left_out = int(sizes.mode()[0]), int(part["n_excluded"].max())
            title = f"{run} · {modality} · {side} (n = {n:,}, {left_out} isolated left out)"
            headings = [
                # The title counts nodes; a measure of pairs, edges or sampled rows has its own n.
                MEASURES[name].title + ("" if sizes[name] == n else f" (n={sizes[name]:,})")
                for name in names
            ]
            show_table(title, ["layer", *headings], rows)
