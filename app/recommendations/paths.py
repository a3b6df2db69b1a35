"""Paths in the user-item graph from a user to an item, as far as the layers of the run reach."""

from __future__ import annotations

from app import cached
from app.recommendations.controls import ListView
from app.shared.product import title_of
from app.shared.text import escape_markdown
from rednd_core.data.schema import Dataset
from rednd_core.graph.khop import ConnectingPaths, connecting_paths, hop_distances
from rednd_core.runs import Run

N_PATHS = 3
MOST_HOPS = 126  # the most hops that the breadth-first search can count


def path_sentence(view: ListView, run: Run, item: int) -> str:
    """One or two sentences in Markdown. The layers of the run decide which paths the model can use."""
    facts, dataset = run.record.model, view.dataset
    n_layers = facts.n_layers if facts else 0
    if not n_layers:
        return "**Paths in the graph.** This model does not propagate, so no path enters the score."
    adjacency = cached.graph(dataset).adjacency
    paths = connecting_paths(adjacency, dataset.n_users, view.user, item, N_PATHS)
    if paths.n_paths:
        return _three_hops(dataset, paths, n_layers)
    reach = min(2 * n_layers, MOST_HOPS)
    hops = int(hop_distances(adjacency, [view.user], reach)[0, dataset.n_users + item])
    return no_short_path(hops, n_layers)


def _three_hops(dataset: Dataset, paths: ConnectingPaths, n_layers: int) -> str:
    best = paths.paths[0]
    share = sum(path.weight for path in paths.paths) / paths.total_weight
    are = "path of three hops leads" if paths.n_paths == 1 else "paths of three hops lead"
    strongest = (
        f"user {escape_markdown(str(dataset.user_ids[best.via_user]))} by way of "
        f"‹{escape_markdown(title_of(dataset, best.via_item))}›"
    )
    return (
        f"**Paths in the graph.** {paths.n_paths:,} {are} from this user to the item; the strongest runs "
        f"over {strongest}. The top {len(paths.paths)} have {100 * share:.0f} % of the weight of all of "
        f"them. {reach_of(n_layers)}"
    )


def no_short_path(hops: int, n_layers: int) -> str:
    """For a pair without a path of three hops.

    Args:
        hops: length of the shortest path; -1 where none is within reach.
    """
    start = "**Paths in the graph.** No path of three hops leads from this user to the item"
    if hops < 0:
        return (
            f"{start}, and none of up to {2 * n_layers} hops, which is as far as {_layers(n_layers)} can "
            "reach. What is left are features, similar items and popularity."
        )
    return f"{start}; the shortest has {hops} hops. {reach_of(n_layers)}"


def reach_of(n_layers: int) -> str:
    """How far the score reaches: the vectors of the user and of the item reach the same number of hops."""
    return (
        f"This run has {_layers(n_layers)}: the user's vector gathers from up to {n_layers} hops, the item's "
        f"as well, so their inner product sees paths of up to {2 * n_layers} hops."
    )


def _layers(n_layers: int) -> str:
    return "1 layer" if n_layers == 1 else f"{n_layers} layers"
