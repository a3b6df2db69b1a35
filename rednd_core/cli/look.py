"""Commands that look at a finished run: evaluate, smoothness, recommend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rednd_core.cli.options import (
    Json,
    RunName,
    RunsDir,
    load_run_data,
    open_store,
    print_json,
    show_table,
)
from rednd_core.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def evaluate(
    run: RunName,
    ks: Annotated[list[int] | None, typer.Option("--k", help="Cut-off; repeatable.")] = None,
    by: Annotated[
        Literal["activity", "degree", "popularity"] | None,
        typer.Option(help="Also by slice: of users (activity, degree) or of held-out items."),
    ] = None,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """Rank all items for every user of validation and test, from the run's stored embeddings.

    Examples:

    * `rednd evaluate --run shop-lightgcn --k 10 --k 20`
    * `rednd evaluate --run shop-lightgcn --k 20 --by popularity`
    """
    from rednd_core.evaluation import slices
    from rednd_core.evaluation.evaluate import Evaluation
    from rednd_core.evaluation.evaluate import evaluate as rank

    def cut(result: Evaluation) -> pd.DataFrame:
        if by == "popularity":
            return slices.slice_table(slices.by_popularity(result, dataset.item_degrees))
        divide = slices.by_activity if by == "activity" else slices.by_degree
        return slices.slice_table(divide(result))

    opened = open_store(runs_dir).open(run)
    dataset = load_run_data(opened)
    user_emb, item_emb = opened.embeddings()
    cut_offs = ks or list(opened.config.training.ks)
    found = {
        name: rank(user_emb, item_emb, dataset.train_matrix, held_out, cut_offs)
        for name, held_out in (("valid", dataset.valid), ("test", dataset.test))
        if len(held_out)
    }
    if as_json:
        results = {name: dict(result.metrics) for name, result in found.items()}
        n_users = {name: result.n_users for name, result in found.items()}
        cuts = (
            {name: cut(result).to_dict("records") for name, result in found.items()} if by else {}
        )
        print_json({"run": run, **results, "n_users": n_users, **({"slices": cuts} if by else {})})
        return
    metrics = next(iter(found.values())).metrics
    columns = [f"{name} ({result.n_users} users)" for name, result in found.items()]
    rows = [[m, *(f"{result.metrics[m]:.4f}" for result in found.values())] for m in metrics]
    show_table(f"Run {run}: means over users with held-out items", ["metric", *columns], rows)
    for name, result in found.items() if by else ():
        table = cut(result)
        rows = [
            [*(str(value) for value in row[:3]), *(f"{value:.4f}" for value in row[3:])]
            for row in table.itertuples(index=False)
        ]
        headings = ["slice", "users", "held-out items", *table.columns[3:]]
        show_table(f"Run {run}, {name}, by {by}: means over the slice's users", headings, rows)


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
    from rednd_core.smoothness.report import VIEWS

    opened = open_store(runs_dir).open(run)
    dataset = load_run_data(opened)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    layers = opened.layers()
    arrays: dict[str, Sequence[NDArray[np.floating]]] = dict(layers)
    if depth is not None:
        model = opened.record.model
        if model is None or not model.linear_propagation:
            raise ConfigError(
                expected="a model with linear propagation for --depth, such as lightgcn",
                found=opened.config.model,
                remedy="leave out --depth",
            )
        arrays = {m: propagate_depth(states[0], graph, depth) for m, states in arrays.items()}
    views = VIEWS if as_json else ("layer",)
    table = measure_layers(arrays, graph, readout=layers.readout, views=views)
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
                # Pairs, edges and sampled rows are other numbers than the nodes of the title.
                MEASURES[name].title + ("" if sizes[name] == n else f" (n={sizes[name]:,})")
                for name in names
            ]
            show_table(title, ["layer", *headings], rows)


def recommend(
    run: RunName,
    user: Annotated[str, typer.Option(help="The user's original id.")],
    k: Annotated[int, typer.Option(help="Length of the list.")] = 20,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """List a user's best unseen items, held-out hits marked, and the rank of every miss.

    Example: `rednd recommend --run shop-lightgcn --user 17 --k 10`
    """
    import numpy as np

    from rednd_core.evaluation.recommend import recommend as rank

    opened = open_store(runs_dir).open(run)
    dataset = load_run_data(opened)
    matches = np.flatnonzero(dataset.user_ids == user)
    if not len(matches):
        raise DataError(
            expected=f"a user of {dataset.name}, e.g. {dataset.user_ids[0]!r}",
            found=repr(user),
            remedy="give the original id as it stands in the data",
        )
    user_emb, item_emb = opened.embeddings()
    found = rank(
        user_emb, item_emb, dataset.train_matrix, int(matches[0]), k, held_out=dataset.test
    )
    titles = dataset.items["title"].to_numpy()

    def rows(frame_name: str) -> list[dict[str, object]]:
        frame = getattr(found, frame_name)
        return [
            {"rank": int(row.rank), "item_id": str(dataset.item_ids[row.item]),
             "title": str(titles[row.item]), "score": float(row.score),
             **({"hit": bool(row.hit)} if frame_name == "listed" else {})}
            for row in frame.itertuples()
        ]  # fmt: skip

    listed, missed = rows("listed"), rows("missed")
    if as_json:
        print_json({"run": run, "user_id": user, "recommended": listed, "missed": missed})
        return
    show_table(
        f"Run {run}, user {user}: best {len(listed)} of {found.n_candidates} unseen items",
        ["rank", "item", "title", "score", "held out"],
        [[r["rank"], r["item_id"], r["title"], f"{r['score']:.4f}", "hit" if r["hit"] else ""]
         for r in listed],
    )  # fmt: skip
    if missed:
        show_table(
            "Held-out test items below the list",
            ["rank", "item", "title", "score"],
            [[r["rank"], r["item_id"], r["title"], f"{r['score']:.4f}"] for r in missed],
        )
