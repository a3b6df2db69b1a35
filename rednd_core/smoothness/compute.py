"""From a name in the catalogue to the number: what each measure reads from a :class:`LayerView`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.cosine import pair_mad
from rednd_core.errors import ConfigError
from rednd_core.smoothness import energy, pairwise, rank
from rednd_core.smoothness.discrepancy import paired_cosine_distance
from rednd_core.smoothness.estimate import Estimate, Side
from rednd_core.smoothness.view import LayerView


@dataclass(frozen=True)
class Samples:
    """How much the sampled measures look at.

    Attributes:
        n_pairs: pairs of uniformity. n_rows: rows of MADGap. seed: of both draws, which start anew
            for every embedding, so that all layers see the same pairs and rows.
    """

    n_pairs: int
    n_rows: int
    seed: int

    def __post_init__(self) -> None:
        for name, value in (("n_pairs", self.n_pairs), ("n_rows", self.n_rows)):
            if value < 2:
                raise ConfigError(
                    expected=f"{name} of at least 2, for an interval",
                    found=str(value),
                    remedy=f"raise {name}",
                )

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


def _mad(view: LayerView, side: Side, samples: Samples) -> Estimate:
    rows = view.part.rows(side)
    value = pair_mad(view.x[rows], view.squared_norms[rows])
    return Estimate(value, n=rows.stop - rows.start)


def _uniformity(view: LayerView, side: Side, samples: Samples) -> Estimate:
    unit = view.unit[view.part.rows(side)]
    return pairwise.uniformity(unit, samples.n_pairs, samples.generator())


def _user_edge_cosines(view: LayerView) -> NDArray[np.float64]:
    """Every edge once: from its user."""
    return view.edge_cosines[view.part.rows("users")]


def _edge_mad(view: LayerView, side: Side, samples: Samples) -> Estimate:
    n_edges = view.part.n_edges
    return Estimate(pairwise.edge_mad(_user_edge_cosines(view), n_edges), n=n_edges)


def _edge_mad_rows(view: LayerView, side: Side, samples: Samples) -> Estimate:
    value = pairwise.edge_mad_rows(view.edge_cosines, view.part.graph.degrees)
    return Estimate(value, n=len(view.x))


def _alignment(view: LayerView, side: Side, samples: Samples) -> Estimate:
    n_edges = view.part.n_edges
    return Estimate(pairwise.alignment(_user_edge_cosines(view), n_edges), n=n_edges)


def _dirichlet(view: LayerView, side: Side, samples: Samples) -> Estimate:
    return Estimate(energy.dirichlet_energy(view.x, view.propagated), n=len(view.x))


def _rayleigh(view: LayerView, side: Side, samples: Samples) -> Estimate:
    return Estimate(energy.rayleigh_quotient(view.x, view.propagated), n=len(view.x))


def _two_hop_rayleigh(view: LayerView, side: Side, samples: Samples) -> Estimate:
    rows = view.part.rows(side)
    x, squared = view.x[rows], view.squared_norms[rows]
    other: Side = "items" if side == "users" else "users"
    propagated = view.propagated[view.part.rows(other)]
    return Estimate(energy.two_hop_rayleigh_quotient(x, propagated, squared), n=len(x))


def _effective_rank(view: LayerView, side: Side, samples: Samples) -> Estimate:
    rows = view.part.rows(side)
    return Estimate(rank.effective_rank(view.spectrum(side)), n=rows.stop - rows.start)


def _numerical_rank(view: LayerView, side: Side, samples: Samples) -> Estimate:
    rows = view.part.rows(side)
    return Estimate(rank.numerical_rank(view.spectrum(side)), n=rows.stop - rows.start)


def paired_distance(start: LayerView, other: LayerView, side: Side) -> Estimate:
    """Mean cosine distance of the nodes of a side between x^0 and another matrix."""
    rows = start.part.rows(side)
    squared = start.squared_norms[rows], other.squared_norms[rows]
    value = paired_cosine_distance(start.x[rows], other.x[rows], squared)
    return Estimate(value, n=rows.stop - rows.start)


PER_VIEW: Mapping[str, Callable[[LayerView, Side, Samples], Estimate]] = {
    "mad": _mad,
    "mad_all": _mad,
    "effective_rank": _effective_rank,
    "numerical_rank": _numerical_rank,
    "two_hop_rq": _two_hop_rayleigh,
    "uniformity": _uniformity,
    "edge_mad": _edge_mad,
    "edge_mad_rows": _edge_mad_rows,
    "alignment": _alignment,
    "rayleigh": _rayleigh,
    "dirichlet": _dirichlet,
}
"""Measures of one embedding matrix; the rest compare layers or need the hop masks of the graph."""
