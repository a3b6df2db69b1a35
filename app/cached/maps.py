"""Maps of layers: from memory, from disk, or computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.cached.data import run_dataset
from app.cached.depths import view_layers
from app.cached.measures import joined_sample
from app.cached.runs import layers
from rednd_core.projection.result import Projection
from rednd_core.runs import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rednd_core.projection import NodeSample


@dataclass(frozen=True, eq=False)
class LayerMap:
    """Which map is asked for: layers of one run on shared axes.

    Attributes:
        modality, view: see :func:`app.cached.view_layers`.
        layers: those that are shown.
        fitted: those that the map is one of, the shown ones among them.
        nodes: (n,) node numbers.
        method: ``"pca"`` or ``"umap"``.
        settings: of the method.
    """

    run: Run
    modality: str
    view: str
    layers: tuple[int, ...]
    fitted: tuple[int, ...]
    nodes: NDArray[np.int64]
    method: str
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        """Everything that the map depends on."""
        return (
            (str(self.run.path), self.run.layer_version, self.modality, self.view),
            (self.layers, self.fitted),
            (self.nodes.tobytes(), self.method, tuple(sorted(self.settings.items()))),
        )

    def ask(self, answer: Callable[..., Any]) -> Any:
        """Call ``rednd_core.projection.project`` or ``find`` for this map."""
        from rednd_core.projection import NodeSample, default_map_cache
        from rednd_core.projection.sample import SampledRows

        arrays = view_layers(self.run, self.modality, self.view)
        sample = NodeSample(self.nodes, len(arrays[0]))
        return answer(
            [SampledRows(sample, arrays[k][self.nodes]) for k in self.fitted],
            self.method,
            sample,
            n_users=_n_users(self.run),
            shown=[self.fitted.index(k) for k in self.layers],
            cache=default_map_cache(),
            **self.settings,
        )


@st.cache_resource(max_entries=24, show_spinner=False)
def _projection(key: tuple[Any, ...], _asked: LayerMap) -> Projection:
    from rednd_core.projection import project

    found: Projection = _asked.ask(project)
    return found


def projection(asked: LayerMap) -> Projection:
    """The map: from memory, from disk, or computed."""
    return _projection(asked.key, asked)


def known_projection(asked: LayerMap) -> Projection | None:
    """The same where a cache on disk has it; None where it would have to be computed."""
    from rednd_core.projection import find

    found: Projection | None = asked.ask(find)
    return found


def _n_users(run: Run) -> int:
    return len(layers(run).user_emb)


@st.cache_resource(max_entries=8, show_spinner="Drawing the maps …")
def _joined_map(
    path: str, version: str | None, digest: str, shown: tuple[int, ...], reach: int, _run: Run
) -> Projection:
    from rednd_core.projection import default_map_cache, project

    asked = _joined_request(_run, shown, reach, "pca")
    return project(*asked, n_users=_n_users(_run), cache=default_map_cache())


def joined_map(run: Run, shown: Sequence[int], reach: int) -> Projection:
    """PCA map of the depths ``shown``, of the nodes of :func:`joined_sample` to depth ``reach``."""
    digest = run_dataset(run).digest
    return _joined_map(str(run.path), run.layer_version, digest, tuple(shown), reach, run)


def known_joined_umap(run: Run, shown: Sequence[int], reach: int) -> Projection | None:
    """The same with UMAP where it is in a cache on disk; None where it would have to be computed."""
    from rednd_core.projection import default_map_cache, find

    asked = _joined_request(run, shown, reach, "umap")
    return find(*asked, n_users=_n_users(run), cache=default_map_cache())


def joined_umap(run: Run, shown: Sequence[int], reach: int) -> Projection:
    """The same, computed where no cache has it."""
    from rednd_core.projection import default_map_cache, project

    asked = _joined_request(run, shown, reach, "umap")
    return project(*asked, n_users=_n_users(run), cache=default_map_cache())


def _joined_request(
    run: Run, shown: Sequence[int], reach: int, method: str
) -> tuple[list[Any], str, NodeSample]:
    # From the stack whose MAD is drawn: one to another depth would be computed anew.
    stack = joined_sample(run, reach)
    return [stack[k] for k in shown], method, stack[0].sample
