"""``rednd evaluate``: metrics of a finished run, over all users and by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rednd_core.cli.options import (
    Json,
    RunName,
    RunsDir,
    open_store,
    print_json,
    show_table,
)
from rednd_core.library import load_run_data

if TYPE_CHECKING:
    import pandas as pd


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

    def by_slice(result: Evaluation) -> pd.DataFrame:
        if by == "popularity":
            return slices.slice_table(slices.by_popularity(result, dataset.item_degrees))
        divide = slices.by_activity if by == "activity" else slices.by_degree
        return slices.slice_table(divide(result))

    opened = open_store(runs_dir).open(run)
    opened.record.require_interactions("metrics")
    dataset = load_run_data(opened)
    user_emb, item_emb = opened.embeddings()
    cut_offs = ks or list(opened.config.training.ks)
    results = {
        name: rank(user_emb, item_emb, dataset.train_matrix, held_out, cut_offs)
        for name, held_out in (("valid", dataset.valid), ("test", dataset.test))
        if len(held_out)
    }
    tables = {name: by_slice(result) for name, result in results.items()} if by else {}
    if as_json:
        value: dict[str, object] = {"run": run}
        value |= {name: dict(result.metrics) for name, result in results.items()}
        value["n_users"] = {name: result.n_users for name, result in results.items()}
        if by:
            value["slices"] = {name: table.to_dict("records") for name, table in tables.items()}
        print_json(value)
        return
    metrics = next(iter(results.values())).metrics
    columns = [f"{name} ({result.n_users} users)" for name, result in results.items()]
    rows = [[m, *(f"{result.metrics[m]:.4f}" for result in results.values())] for m in metrics]
    show_table(f"Run {run}: means over users with held-out items", ["metric", *columns], rows)
    for name, table in tables.items():
        title = f"Run {run}, {name}, by {by}: means over the slice's users"
        show_table(title, ["", *table["slice"]], _rows_by_metric(table))


def _rows_by_metric(table: pd.DataFrame) -> list[list[str]]:
    """A row for each count and metric of ``slices.slice_table``, a column for each slice."""
    counts = {"users": "n_users", "held-out items": "n_held_out"}
    rows = [[label, *(f"{n:,}" for n in table[column])] for label, column in counts.items()]
    metrics = [column for column in table.columns if "@" in column]
    return rows + [[metric, *(f"{value:.4f}" for value in table[metric])] for metric in metrics]
