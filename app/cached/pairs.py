"""Two runs compared: one layer of each, on the same nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.cached.depths import view_layers
from app.cached.runs import layers
from rednd_core.projection.align import Movers
from rednd_core.projection.pair import AlignedPair
from rednd_core.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LayerPair:
    """The vectors of two runs that are compared.

    Attributes:
        modality, other_modality: of ``run`` and of ``other``.
        view: see :func:`app.cached.view_layers`.
        nodes: (n,) node numbers.
    """

    run: Run
    modality: str
    other: Run
    other_modality: str
    layer: int
    view: str
    nodes: NDArray[np.int64]

    @property
    def key(self) -> tuple[Any, ...]:
        """Everything that the vectors depend on."""
        return (
            (str(self.run.path), self.run.layer_version, self.modality),
            (str(self.other.path), self.other.layer_version, self.other_modality),
            (self.layer, self.view, self.nodes.tobytes()),
        )

    def rows(self) -> tuple[Any, Any]:
        """The vectors of ``nodes`` in both runs, each (n, d)."""
        first = view_layers(self.run, self.modality, self.view)[self.layer]
        second = view_layers(self.other, self.other_modality, self.view)[self.layer]
        return first[self.nodes], second[self.nodes]


@st.cache_resource(max_entries=16, show_spinner="Turning the second run onto the first …")
def _aligned(key: tuple[Any, ...], _pair: LayerPair) -> AlignedPair:
    from rednd_core.projection.pair import aligned_pair

    n_users = len(layers(_pair.run).user_emb)
    return aligned_pair(*_pair.rows(), _pair.nodes < n_users)


def aligned_pair(pair: LayerPair) -> AlignedPair:
    """The nodes in both runs, the second run turned onto the first."""
    return _aligned(pair.key, pair)


@st.cache_data(max_entries=16, show_spinner="Comparing the neighbourhoods …")
def _movers(key: tuple[Any, ...], k: int, _pair: LayerPair) -> Movers:
    from rednd_core.projection import movers

    return movers(*_pair.rows(), k)


def movers(pair: LayerPair, k: int) -> Movers:
    """The nodes by the change of their ``k`` neighbours (among the nodes) between the runs."""
    return _movers(pair.key, k, pair)
