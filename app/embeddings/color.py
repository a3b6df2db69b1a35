"""The colourings of a map: what they are, and the values of the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import cached
from app.shared.text import escape_markdown
from rednd_core.data.schema import Dataset
from rednd_core.plots.columns import column_colors, obstacle
from rednd_core.plots.points import MISSING
from rednd_core.runs import Run

TYPE = "type"
DEGREE = "degree"
POPULARITY = "popularity"
NEIGHBOURS = "agreement with neighbours"
SELF = "agreement with own start"
RECALL = "recall@20"
SPLITS = {"valid": "validation", "test": "test"}
PLAIN_COLUMNS = ("item_id", "user_id", "title", "name", "image", "description")

NOTES = {
    TYPE: "Users and items have different colours.",
    DEGREE: "Train interactions of a node, on a logarithmic scale; grey nodes have none.",
    POPULARITY: "An item's train interactions; for a user, the mean over the items of the history. "
    "Logarithmic; grey nodes have no interaction.",
    NEIGHBOURS: "Smoothness of a node: cos(x_i, mean of x_j over its neighbours j in the graph), in the "
    "layer that the panel shows. 1: the node points exactly where its neighbours point.",
    SELF: "What is left of a node: cos(x_i, x_i⁰) between the panel's layer and layer 0. 1: unchanged; "
    "0: nothing of the own direction is left.",
}


@dataclass(frozen=True, eq=False)
class Coloring:
    """Values of the points, (n,) or (n_layers, n), and what the values mean.

    Attributes:
        note: one sentence for the caption, in Markdown.
    """

    values: Any
    name: str
    note: str
    log: bool = False
    missing: str = field(default=MISSING)

    def arguments(self) -> dict[str, Any]:
        return {
            "color": self.values,
            "color_name": self.name,
            "log_color": self.log,
            "missing": self.missing,
        }


def color_options(run: Run, data: Dataset) -> list[str]:
    """The colourings that this run and its data allow."""
    options = [TYPE]
    options += [name for name, why in table_columns(run, data).items() if why is None]
    options += [DEGREE, POPULARITY, NEIGHBOURS, SELF] if data.has_interactions else [SELF]
    per_user = cached.per_user(run)
    if per_user is not None and RECALL in per_user:
        present = set(per_user["split"])
        options += [_recall_option(split) for split in SPLITS if split in present]
    return options


def coloring(
    option: str,
    run: Run,
    data: Dataset,
    modality: str,
    view: str,
    layers: Sequence[int],
    nodes: NDArray[np.int64],
) -> Coloring:
    """Colour values of ``nodes`` for one of :func:`color_options`."""
    is_user = nodes < data.n_users
    if option == TYPE:
        return Coloring(np.where(is_user, "user", "item"), option, NOTES[option])
    if option == DEGREE:
        return Coloring(degrees(data)[nodes], option, NOTES[option], log=True)
    if option == POPULARITY:
        return Coloring(_popularity(data)[nodes], option, NOTES[option], log=True)
    if option in (NEIGHBOURS, SELF):
        kind = "self" if option == SELF else "neighbours"
        by_layer = [cached.agreement(run, modality, view, kind, k)[nodes] for k in layers]
        return Coloring(np.stack(by_layer), option, NOTES[option])
    for split in SPLITS:
        if option == _recall_option(split):
            return _recall(run, data, split, nodes)
    side, _, column = option.partition(" ")
    of_items = side == "item"
    table = (data.items if of_items else cached.users(run))[column].to_numpy(dtype=object)
    texts = np.full(len(nodes), "", dtype=object)
    mine = is_user != of_items
    texts[mine] = table[nodes[mine] - (data.n_users if of_items else 0)]
    values = column_colors(texts.tolist())
    grey = "users" if of_items else "items"
    n_known = int((texts != "").sum())
    told = escape_markdown(column)
    note = f"Column {told} of the {side}s table: {n_known:,} of {len(nodes):,} points have one."
    return Coloring(values, option, note, missing=f"{grey}, or no {column}")


def degrees(data: Dataset) -> NDArray[np.int64]:
    """Train interactions of every node, (N,)."""
    return np.concatenate([data.user_degrees, data.item_degrees])


def can_be_mapped(data: Dataset) -> NDArray[np.bool_]:
    """(N,) whether a map can show a node: one without a train interaction has no vector after layer 0.

    Without any interactions, a run's vectors are those of its own file, and a map can show them all.
    """
    return (degrees(data) > 0) | (not data.has_interactions)


def _popularity(data: Dataset) -> NDArray[np.float64]:
    item = data.item_degrees.astype(np.float64)
    user = (data.train_matrix @ item) / np.maximum(data.user_degrees, 1)
    return np.concatenate([user, item])


def _recall_option(split: str) -> str:
    return f"{RECALL} ({SPLITS[split]})"


def _recall(run: Run, data: Dataset, split: str, nodes: NDArray[np.int64]) -> Coloring:
    table = cached.per_user(run)
    assert table is not None  # Without a table the form does not offer this colouring.
    rows = table[table["split"] == split]
    values = np.full(data.n_users + data.n_items, np.nan)
    values[rows["user"].to_numpy()] = rows[RECALL].to_numpy()
    shown = values[nodes]
    note = (
        f"Share of a user's held-out {SPLITS[split]} items among the first 20 recommended: "
        f"{int(np.isfinite(shown).sum()):,} of {int((nodes < data.n_users).sum()):,} users on the map "
        "have held-out items."
    )
    return Coloring(shown, _recall_option(split), note, missing="items, or no held-out item")


def table_columns(run: Run, data: Dataset) -> dict[str, str | None]:
    """Option for each column of the tables -> why it cannot be offered; None if it can."""
    tables = {"item": data.items, "user": cached.users(run)}
    return {
        f"{side} {name}": obstacle(table[name].tolist())
        for side, table in tables.items()
        for name in table.columns
        if name not in PLAIN_COLUMNS
    }


def not_offered(run: Run, data: Dataset) -> str:
    """Markdown about the columns that no colour can show; empty if there is none."""
    left = {name: why for name, why in table_columns(run, data).items() if why is not None}
    told = ", ".join(f"{escape_markdown(name)} ({why})" for name, why in left.items())
    return f"Not offered: {told}." if told else ""
