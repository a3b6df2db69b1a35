"""All measures of all layers as one table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from rednd_core.errors import DataError, unknown_name
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.smoothness.compute import PER_VIEW, Samples, discrepancy
from rednd_core.smoothness.estimate import Estimate, Side
from rednd_core.smoothness.gap import PAPER_RULE, SAME_TYPE_RULE, GapRule, mad_gaps
from rednd_core.smoothness.measures import MEASURES
from rednd_core.smoothness.pairwise import unit_rows
from rednd_core.smoothness.view import ConnectedPart, LayerView

Array = NDArray[np.float64]
Layer = NDArray[np.floating]
Readout = Literal["mean", "last"]
ViewName = Literal["layer", "readout"]

VIEWS: tuple[ViewName, ...] = get_args(ViewName)


class Row(NamedTuple):
    """One row of the table.

    Attributes:
        view: the layer's output, or what scoring would use at that depth.
        ci: half-width of the 95 % interval; NaN where ``exact``.
        n: nodes, pairs, edges or rows that entered.
        n_excluded: isolated nodes left out of that side.
    """

    view: ViewName
    modality: str
    layer: int
    side: Side
    measure: str
    value: float
    ci: float
    n: int
    n_excluded: int
    exact: bool


def measure_layers(
    layers: Mapping[str, Sequence[Layer]],
    graph: BipartiteGraph,
    *,
    readout: Readout = "mean",
    measures: Collection[str] | None = None,
    views: Collection[ViewName] = VIEWS,
    n_pairs: int = 50_000,
    n_rows: int = 1024,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how alike the embeddings are at every depth.

    Args:
        layers: modality -> [x^0 .. x^L], each (N, d), users first; computed in float64.
        graph: the train graph. Its isolated nodes are left out at every depth and counted.
        readout: how the model combines layers: at depth k the mean of the layers 0..k, or layer k.
        measures: names from :data:`MEASURES`; None for all.
        views: which to measure. Node-neighbour discrepancy is about the mean over the layers by
            definition: it is always listed under ``"readout"``, and there alone.
        n_pairs: sampled pairs of uniformity. n_rows: sampled rows of MADGap. A measure is exact
            where the graph has no more pairs or rows than that.
        seed: of those samples; every layer sees the same ones.

    Returns:
        One :class:`Row` for each view, modality, depth, side and measure, sorted in that order
        (measures in the order of the catalogue).

    Raises:
        ConfigError: unknown measure, readout or view, or a sample of fewer than two.
        DataError: layers of the wrong shape, or with numbers that are not finite.
    """
    names = _checked("smoothness measure", MEASURES if measures is None else measures, MEASURES)
    _checked("view", views, VIEWS)
    _checked("readout", [readout], get_args(Readout))
    samples = Samples(n_pairs=n_pairs, n_rows=n_rows, seed=seed)
    for modality, stack in layers.items():
        _check_shapes(modality, stack, graph.n_nodes)
    needs_means = "discrepancy" in names or ("readout" in views and readout == "mean")
    part = ConnectedPart.of(graph)
    rows: list[Row] = []
    for modality, stack in layers.items():
        outputs = [LayerView(_connected_rows(x, part), part) for x in stack]
        means = _mean_views(outputs) if needs_means else outputs
        placed = _placed(outputs, means, views, readout)
        found = _per_view(placed, names, samples)
        if "discrepancy" in names:
            found |= _discrepancies(outputs[0], means)
        if "madgap" in names:
            found |= _same_type_gaps(placed, part, samples)
        if "madgap_paper" in names:
            whole = [np.asarray(x, dtype=np.float64) for x in stack]
            found |= _paper_gaps(
                _placed(whole, _running_means(whole), views, readout), graph, samples
            )
        rows += _rows(modality, found, part)
    return pd.DataFrame(rows, columns=list(Row._fields))


T = TypeVar("T")
R = TypeVar("R")
Place = tuple[ViewName, int]  # which view, at which depth
Found = dict[tuple[Place, str, Side], Estimate]


def _placed(
    outputs: Sequence[T], means: Sequence[T], views: Collection[ViewName], readout: Readout
) -> dict[Place, T]:
    """What each view shows at each depth. One object may stand in several places."""
    sources = {"layer": outputs, "readout": means if readout == "mean" else outputs}
    return {
        (view, depth): shown
        for view in VIEWS
        if view in views
        for depth, shown in enumerate(sources[view])
    }


def _per_distinct(placed: dict[Place, T], function: Callable[[list[T]], list[R]]) -> dict[Place, R]:
    """Results of ``function`` by place, computed once for objects in several places."""
    distinct = {id(shown): shown for shown in placed.values()}
    results = dict(zip(distinct, function(list(distinct.values())), strict=True))
    return {place: results[id(shown)] for place, shown in placed.items()}


def _per_view(placed: dict[Place, LayerView], names: Sequence[str], samples: Samples) -> Found:
    wanted = [(name, side) for name in names if name in PER_VIEW for side in MEASURES[name].sides]

    def measure(distinct: list[LayerView]) -> list[list[Estimate]]:
        return [[PER_VIEW[name](view, side, samples) for name, side in wanted] for view in distinct]

    by_place = _per_distinct(placed, measure)
    return {
        (place, name, side): estimate
        for place, estimates in by_place.items()
        for (name, side), estimate in zip(wanted, estimates, strict=True)
    }


def _discrepancies(start: LayerView, means: Sequence[LayerView]) -> Found:
    return {
        (("readout", depth), "discrepancy", side): discrepancy(start, mean, side)
        for depth, mean in enumerate(means)
        for side in MEASURES["discrepancy"].sides
    }


def _same_type_gaps(placed: dict[Place, LayerView], part: ConnectedPart, samples: Samples) -> Found:
    units = {place: view.unit for place, view in placed.items()}
    return {
        (place, "madgap", side): gap
        for side in MEASURES["madgap"].sides
        for place, gap in _gaps(
            units, part.adjacency, part.rows(side), SAME_TYPE_RULE, samples
        ).items()
    }


def _paper_gaps(placed: dict[Place, Array], graph: BipartiteGraph, samples: Samples) -> Found:
    """Over all nodes, isolated ones included: that is how the measure comes to mislead."""
    units = _per_distinct(placed, lambda distinct: [unit_rows(x) for x in distinct])
    gaps = _gaps(units, graph.adjacency, slice(None), PAPER_RULE, samples)
    return {(place, "madgap_paper", "all"): gap for place, gap in gaps.items()}


def _gaps(
    units: dict[Place, Array],
    adjacency: sp.csr_array,
    nodes: slice,
    rule: GapRule,
    samples: Samples,
) -> dict[Place, Estimate]:
    return _per_distinct(
        units,
        lambda distinct: mad_gaps(
            distinct, adjacency, nodes, rule, samples.n_rows, samples.generator()
        ),
    )


def _rows(modality: str, found: Found, part: ConnectedPart) -> list[Row]:
    """The table's rows, in the order of views, depths, catalogue and sides."""
    catalogue = list(MEASURES)
    ordered = sorted(
        found.items(),
        key=lambda item: (
            VIEWS.index(item[0][0][0]),
            item[0][0][1],
            catalogue.index(item[0][1]),
            get_args(Side).index(item[0][2]),
        ),
    )
    return [
        Row(
            view=view,
            modality=modality,
            layer=depth,
            side=side,
            measure=name,
            value=estimate.value,
            ci=estimate.ci,
            n=estimate.n,
            n_excluded=0 if name == "madgap_paper" else part.n_excluded(side),
            exact=estimate.exact,
        )
        for ((view, depth), name, side), estimate in ordered
    ]


def _connected_rows(x: Layer, part: ConnectedPart) -> Array:
    """The rows that have an edge, (n, d) float64."""
    return np.asarray(x if len(x) == len(part.nodes) else x[part.nodes], dtype=np.float64)


def _mean_views(outputs: Sequence[LayerView]) -> list[LayerView]:
    means = _running_means([view.x for view in outputs])
    return [outputs[0], *(LayerView(x, outputs[0].part) for x in means[1:])]


def _running_means(matrices: Sequence[Array]) -> list[Array]:
    """Mean of the matrices 0..k for every k; the first is the first matrix itself."""
    means, total = [matrices[0]], matrices[0].copy()
    for count, x in enumerate(matrices[1:], start=2):
        total += x
        means.append(total / count)
    return means


def _checked(kind: str, chosen: Collection[str], valid: Collection[str]) -> list[str]:
    for name in chosen:
        if name not in valid:
            raise unknown_name(kind, name, valid)
    return list(chosen)


def _check_shapes(modality: str, stack: Sequence[Layer], n_nodes: int) -> None:
    shapes = [np.shape(x) for x in stack]
    if not shapes or len(shapes[0]) != 2 or shapes[0][0] != n_nodes or len(set(shapes)) > 1:
        raise DataError(
            expected=f"layers of modality {modality!r} that are all ({n_nodes}, d)",
            found=", ".join(map(str, shapes)) or "no layer",
            remedy="pass x^0 .. x^L of the model that was trained on this graph",
        )
