"""What a projection gives back, and its form in the cache."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import DataError
from rednd_core.projection.quality import LayerQuality


@dataclass(frozen=True)
class Projection:
    """Chosen nodes of chosen layers on one shared map.

    Attributes:
        coords: (n_layers, n, 2) float32, finite; the axes are shared by all layers.
        nodes: (n,) int64, the row of each point among the N rows of a layer.
        n_total: N.
        method: ``"pca"`` or ``"umap"``.
        params: every setting that shaped the map.
        quality: one mapping a layer, see :func:`rednd_core.projection.quality.layer_quality`.
        collapsed: one flag a layer: its distances are nearly gone, whatever the map shows.
        seconds: time it took when it was computed.
        versions: libraries that computed it.

    Raises:
        DataError: parts that do not fit each other, e.g. in a foreign cache file.
    """

    coords: NDArray[np.float32]
    nodes: NDArray[np.int64]
    n_total: int
    method: str
    params: Mapping[str, Any]
    quality: tuple[LayerQuality, ...]
    collapsed: tuple[bool, ...]
    seconds: float
    versions: Mapping[str, str]

    def __post_init__(self) -> None:
        n_layers, n = len(self.quality), len(self.nodes)
        if (
            self.coords.shape != (n_layers, n, 2)
            or self.coords.dtype != np.float32
            or self.nodes.dtype != np.int64
            or len(self.collapsed) != n_layers
            or not np.isfinite(self.coords).all()
        ):
            raise DataError(
                expected=f"finite float32 coordinates ({n_layers}, {n}, 2) and int64 nodes",
                found=f"{self.coords.dtype} {self.coords.shape} and {self.nodes.dtype} nodes",
                remedy="compute the projection again",
            )

    def only(self, layers: Sequence[int] | None) -> Projection:
        """The same map with some of its layers, by their number on it; None means all."""
        if layers is None:
            return self
        return replace(
            self,
            coords=self.coords[list(layers)],
            quality=tuple(self.quality[k] for k in layers),
            collapsed=tuple(self.collapsed[k] for k in layers),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays for :class:`rednd_core.cache.ArrayCache`; the rest travels as one JSON text."""
        rest = {
            "n_total": self.n_total,
            "method": self.method,
            "params": dict(self.params),
            "quality": list(self.quality),
            "collapsed": list(self.collapsed),
            "seconds": self.seconds,
            "versions": dict(self.versions),
        }
        return {"coords": self.coords, "nodes": self.nodes, "rest": np.array(json.dumps(rest))}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Projection:
        """Inverse of :meth:`to_arrays`.

        Raises:
            DataError: arrays that are not a projection.
        """
        try:
            rest = json.loads(arrays["rest"].item())
            quality, collapsed = tuple(rest.pop("quality")), tuple(rest.pop("collapsed"))
            return cls(
                coords=arrays["coords"],
                nodes=arrays["nodes"],
                quality=quality,
                collapsed=collapsed,
                **rest,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                expected="the arrays of a projection",
                found=f"{type(error).__name__}: {error}",
                remedy="delete that cache entry",
            ) from None
