"""The facade: layers of a run in, one :class:`Projection` out, from the cache where possible."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rednd_core.cache import ArrayCache, content_key, library_versions
from rednd_core.errors import ConfigError, DataError, unknown_name
from rednd_core.projection.knn import KNNGraph, nearest
from rednd_core.projection.pca import PooledPCA
from rednd_core.projection.quality import is_collapsed, layer_quality
from rednd_core.projection.result import Projection
from rednd_core.projection.sample import NodeSample
from rednd_core.projection.umap import JointUMAP, cuml_for_gpu

QUALITY_POINTS = 2000  # points on which neighbourhoods are compared: about 0.3 s a layer

METHOD_SETTINGS: dict[str, tuple[str, ...]] = {
    "pca": (),
    "umap": tuple(field.name for field in fields(JointUMAP)),
}


def project(
    layers: Sequence[Any],
    method: str = "pca",
    nodes: NodeSample | ArrayLike | None = None,
    *,
    n_users: int | None = None,
    shown: Sequence[int] | None = None,
    cache: ArrayCache | None = None,
    **settings: float,
) -> Projection:
    """Map layers together onto two shared axes.

    Args:
        layers: arrays (N, d) of one shape, e.g. the memory-mapped layers of a run; at least one. Only
            the rows of ``nodes`` are read. Rows are compared by cosine; a zero row (an isolated node
            past layer 0) has distance 1 to all others.
        method: ``"pca"`` or ``"umap"``.
        nodes: which rows; None means all.
        n_users: rows below it are users; with it, quality and collapse are judged a side.
        shown: positions in ``layers`` of those that the result has. The map is one of all ``layers``, so it
            stays the same whichever of them are shown. None means all.
        cache: where results are looked up and kept; the kNN graph of UMAP has its own entry, so
            that another ``min_dist`` does not compute it again.
        settings: those of :class:`JointUMAP` for UMAP; PCA has none.

    Raises:
        ConfigError: an unknown method or setting, or an impossible value.
        DataError: layers of different shapes or with NaN, nodes out of range, repeated, or below 3.
    """
    request = _Request.of(layers, method, nodes, n_users, shown, settings)
    started = time.perf_counter()
    known = _cached(cache, request)
    if known is not None:
        return known
    stack, chosen = request.stack, request.nodes
    if isinstance(request.estimator, JointUMAP):
        coords = request.estimator.fit_transform(stack, _knn(stack, request.estimator, cache))
    else:
        coords = request.estimator.fit_transform(stack)
    points = quality_points(len(chosen))
    is_user = None if n_users is None else chosen < n_users
    judged = request.judged
    quality = tuple(layer_quality(stack[k], coords[k], is_user, points) for k in judged)
    projection = Projection(
        coords=coords[list(judged)],
        nodes=chosen,
        n_total=request.n_total,
        method=method,
        params=request.params,
        quality=quality,
        collapsed=tuple(map(is_collapsed, quality)),
        seconds=time.perf_counter() - started,
        versions=request.versions,
    )
    if cache is not None:
        cache.put(request.own_key, projection.to_arrays())
    return projection.only(shown) if len(judged) == len(stack) else projection


def find(
    layers: Sequence[Any],
    method: str,
    nodes: NodeSample | ArrayLike | None = None,
    *,
    n_users: int | None = None,
    shown: Sequence[int] | None = None,
    cache: ArrayCache,
    **settings: float,
) -> Projection | None:
    """What :func:`project` would take from the cache, or None where it would have to compute."""
    return _cached(cache, _Request.of(layers, method, nodes, n_users, shown, settings))


@dataclass(frozen=True, eq=False)
class _Request:
    """What is to be mapped and how, checked.

    Attributes:
        shown: positions of the layers that the answer has; None for all.
        keys: of maps in the cache that have all layers.
        shown_key: of a map in the cache that has the shown layers alone.
    """

    estimator: JointUMAP | PooledPCA
    params: dict[str, Any]
    versions: dict[str, str]
    stack: NDArray[np.float32]
    nodes: NDArray[np.int64]
    n_total: int
    shown: tuple[int, ...] | None
    keys: tuple[str, ...]
    shown_key: str

    @property
    def judged(self) -> Sequence[int]:
        """The layers whose quality is measured.

        Measuring takes longer than a PCA, which is therefore measured where it is shown; and much less
        time than a UMAP, of which the cache then has all layers.
        """
        if self.shown is None or isinstance(self.estimator, JointUMAP):
            return range(len(self.stack))
        return self.shown

    @property
    def own_key(self) -> str:
        """Where the cache keeps what is computed here."""
        return self.keys[0] if len(self.judged) == len(self.stack) else self.shown_key

    @classmethod
    def of(
        cls,
        layers: Sequence[Any],
        method: str,
        nodes: NodeSample | ArrayLike | None,
        n_users: int | None,
        shown: Sequence[int] | None,
        settings: dict[str, float],
    ) -> _Request:
        if method not in METHOD_SETTINGS:
            raise unknown_name("projection method", method, METHOD_SETTINGS)
        for name in settings:
            if name not in METHOD_SETTINGS[method]:
                raise unknown_name(f"setting of {method}", name, METHOD_SETTINGS[method])
        estimator = JointUMAP(**settings) if method == "umap" else PooledPCA()  # type: ignore[arg-type]
        params: dict[str, Any] = asdict(estimator) if isinstance(estimator, JointUMAP) else {}
        engines = [library_versions(*names) for names in _libraries(method)]
        chosen, n_total = _chosen(layers, nodes)
        stack = _stack(layers, chosen)
        identity = {"method": method, "n_users": n_users, "n_total": n_total, **params}
        keys = tuple(
            content_key("projection", (stack, chosen), identity, versions) for versions in engines
        )
        places = None if shown is None else tuple(shown)
        shown_key = f"{keys[0]}-{'-'.join(map(str, places or ()))}"
        return cls(estimator, params, engines[0], stack, chosen, n_total, places, keys, shown_key)


def _libraries(method: str) -> list[tuple[str, ...]]:
    """What computes ``method`` here, then what may have computed it elsewhere."""
    if method == "pca":
        return [("numpy",)]
    gpu = cuml_for_gpu()
    return ([("numpy", gpu)] if gpu else []) + [("numpy", "umap-learn", "numba")]


def _cached(cache: ArrayCache | None, request: _Request) -> Projection | None:
    if cache is None:
        return None
    for key in request.keys:
        if (found := _read(cache, key)) is not None:
            return found.only(request.shown)
    return None if request.shown is None else _read(cache, request.shown_key)


def _read(cache: ArrayCache, key: str) -> Projection | None:
    arrays = cache.get(key)
    if arrays is None:
        return None
    try:
        return Projection.from_arrays(arrays)
    except DataError:  # readable, but no projection: computed again and replaced
        return None


def _knn(stack: NDArray[np.float32], umap: JointUMAP, cache: ArrayCache | None) -> KNNGraph:
    rows = stack.reshape(-1, stack.shape[2])  # (n_layers * n, d)
    k = umap.k(len(rows))
    if cache is None:
        return nearest(rows, k)
    key = content_key("knn", (rows,), {"k": k, "metric": "cosine"}, library_versions("torch"))
    arrays = cache.get(key)
    if arrays is not None:
        try:
            return KNNGraph(arrays["indices"], arrays["distances"])
        except (KeyError, DataError):
            pass
    graph = nearest(rows, k)
    cache.put(key, {"indices": graph.indices, "distances": graph.distances})
    return graph


def _chosen(
    layers: Sequence[Any], nodes: NodeSample | ArrayLike | None
) -> tuple[NDArray[np.int64], int]:
    """Nodes (n,) in the order given, and N; checks the layers' shapes."""
    shapes = [tuple(np.shape(layer)) for layer in layers]
    if not shapes or len(set(shapes)) > 1 or len(shapes[0]) != 2 or shapes[0][1] < 1:
        raise DataError(
            expected="one or more layers of one shape (N, d)",
            found=", ".join(map(str, shapes)) or "no layer",
            remedy="choose layers of one modality of one run",
        )
    n_total = shapes[0][0]
    if nodes is None:
        chosen = np.arange(n_total)
    else:
        raw = np.asarray(nodes.nodes if isinstance(nodes, NodeSample) else nodes)
        if raw.ndim != 1 or (raw.size and not np.issubdtype(raw.dtype, np.integer)):
            raise ConfigError(
                expected="nodes as a list of whole numbers",
                found=f"{raw.dtype} of shape {raw.shape}",
                remedy="pass row numbers of the layers",
            )
        chosen = raw.astype(np.int64)
    distinct = len(np.unique(chosen))
    if len(chosen) < 3 or distinct < len(chosen) or chosen.min() < 0 or chosen.max() >= n_total:
        extent = f" from {chosen.min()} to {chosen.max()}" if len(chosen) else ""
        raise DataError(
            expected=f"at least 3 distinct nodes between 0 and {n_total - 1}",
            found=f"{len(chosen)} nodes, {distinct} of them distinct,{extent}".rstrip(","),
            remedy="choose other nodes or a larger sample",
        )
    return chosen, n_total


def _stack(layers: Sequence[Any], nodes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Rows ``nodes`` of every layer, (n_layers, n, d) float32, finite."""
    stack = np.empty((len(layers), len(nodes), np.shape(layers[0])[1]), dtype=np.float32)
    for number, layer in enumerate(layers):
        stack[number] = layer[nodes]
        broken = ~np.isfinite(stack[number]).all(axis=1)
        if broken.any():
            raise DataError(
                expected="finite values in every layer",
                found=f"NaN or infinity in {broken.sum()} rows of layer number {number} of those "
                f"given, first at node {nodes[broken.argmax()]}",
                remedy="train again with a smaller learning rate or leave that layer out",
            )
    return stack


def quality_points(n: int) -> NDArray[np.int64]:
    """At most :data:`QUALITY_POINTS` positions of 0..n-1, the same for the same n."""
    if n <= QUALITY_POINTS:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, QUALITY_POINTS, replace=False))
