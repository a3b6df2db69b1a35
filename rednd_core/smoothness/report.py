"""All measures of all layers as one table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.errors import unknown_name
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.smoothness.compute import PER_VIEW, Samples, paired_distance
from rednd_core.smoothness.estimate import Estimate, Side
from rednd_core.smoothness.gap import PAPER_RULE, SAME_TYPE_RULE, GapRows
from rednd_core.smoothness.measures import MEASURES
from rednd_core.smoothness.running_means import each_depth_of
from rednd_core.smoothness.view import ConnectedPart, LayerView

Array = NDArray[np.float64]
Layer = NDArray[np.floating]
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
    layers: Mapping[str, Iterable[Layer]],
    graph: BipartiteGraph,
    *,
    readouts: Mapping[str, Iterable[Layer]] | None = None,
    measures: Collection[str] | None = None,
    n_pairs: int = 50_000,
    n_rows: int = 1024,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how alike the embeddings are at every depth.

    Args:
        layers: modality -> x^0 .. x^L, each (N, d), users first; one at a time. Sums over nodes are
            float64, rows are of :func:`~rednd_core.smoothness.precision.row_type`. Widths d may differ.
        graph: the train graph. Its isolated nodes are left out at every depth and counted. A graph without
            any edge stands for vectors without interactions: all nodes are measured, by the measures that
            need no edges.
        readouts: modality -> z^0 .. z^L, each (N, D): what would score if propagation stopped at layer k
            (see :class:`~rednd_core.readout.Readout`). Left out, layers alone are measured.
        measures: names from :data:`MEASURES`; None for all. Node-neighbour discrepancy compares x^0 with
            the mean of the layers 1..k: it is listed under ``"readout"`` alone, also without readouts,
            from depth 1 on, and as long as the layers are as wide as x^0.
        n_pairs: sampled pairs of uniformity. n_rows: sampled rows of MADGap. A measure is exact
            where the graph has no more pairs or rows than that.
        seed: of those samples; every layer sees the same ones.

    Returns:
        One :class:`Row` for each view, modality, depth, side and measure, sorted in that order
        (measures in the order of the catalogue).

    Raises:
        ConfigError: unknown measure, or a sample of fewer than two.
        DataError: layers of the wrong shape, or with numbers that are not finite.
    """
    names = _checked("smoothness measure", MEASURES if measures is None else measures, MEASURES)
    if graph.norm_adj.nnz == 0:
        names = [name for name in names if not MEASURES[name].needs_graph]
    samples = Samples(n_pairs=n_pairs, n_rows=n_rows, seed=seed)
    part = ConnectedPart.of(graph)
    gap_rows = _gap_rows(names, part, graph, samples)
    rows: list[Row] = []
    for modality, stack in layers.items():
        found: Found = {}
        start: LayerView | None = None
        scoring = None if readouts is None else readouts[modality]
        means = "discrepancy" in names
        for depth in each_depth_of(stack, scoring, modality, part, means=means):
            start = start or depth.layer
            if depth.neighbours is not None:
                for side in MEASURES["discrepancy"].sides:
                    value = paired_distance(start, depth.neighbours, side)
                    found[("readout", depth.k), "discrepancy", side] = value
            of_layer = _measure(depth.layer, names, samples, gap_rows)
            shown: dict[ViewName, Measured] = {"layer": of_layer}
            if depth.readout is not None:
                is_layer = depth.readout is depth.layer
                shown["readout"] = (
                    of_layer if is_layer else _measure(depth.readout, names, samples, gap_rows)
                )
            for view, measured in shown.items():
                for (measure, side), estimate in measured.items():
                    found[(view, depth.k), measure, side] = estimate
        rows += _rows(modality, found, part)
    return pd.DataFrame(rows, columns=list(Row._fields))


ViewAtDepth = tuple[ViewName, int]  # which view, at which depth
Measured = dict[tuple[str, Side], Estimate]
Found = dict[tuple[ViewAtDepth, str, Side], Estimate]


def _measure(
    view: LayerView,
    names: Sequence[str],
    samples: Samples,
    gap_rows: Mapping[tuple[str, Side], GapRows],
) -> Measured:
    """All of one matrix."""
    found: Measured = {
        (name, side): PER_VIEW[name](view, side, samples)
        for name in names
        if name in PER_VIEW
        for side in MEASURES[name].sides
    }
    for (name, side), chosen in gap_rows.items():
        # The MADGap of the paper is over all nodes, isolated ones included.
        unit = view.unit if name == "madgap" else view.whole_unit
        found[name, side] = chosen.gap(unit)
    return found


def _gap_rows(
    names: Sequence[str], part: ConnectedPart, graph: BipartiteGraph, samples: Samples
) -> dict[tuple[str, Side], GapRows]:
    """Rows and masks of the MADGaps, the same for every matrix."""
    found: dict[tuple[str, Side], GapRows] = {}
    if "madgap" in names:
        for side in MEASURES["madgap"].sides:
            rows, draw = part.rows(side), samples.generator()
            found["madgap", side] = GapRows(
                part.graph.adjacency, rows, SAME_TYPE_RULE, samples.n_rows, draw
            )
    if "madgap_paper" in names:
        # over all nodes, isolated ones included: that is how the measure comes to mislead
        draw = samples.generator()
        found["madgap_paper", "all"] = GapRows(
            graph.adjacency, slice(None), PAPER_RULE, samples.n_rows, draw
        )
    return found


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


def _checked(kind: str, chosen: Collection[str], valid: Collection[str]) -> list[str]:
    for name in chosen:
        if name not in valid:
            raise unknown_name(kind, name, valid)
    return list(chosen)
