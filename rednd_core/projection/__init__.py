"""Maps of layers: arrays in, :class:`Projection` out. Imports neither torch nor umap until used."""

from rednd_core.projection.align import Alignment, Movers, movers, procrustes
from rednd_core.projection.facade import METHOD_SETTINGS, find, project
from rednd_core.projection.knn import KNNGraph, nearest, neighbours
from rednd_core.projection.live import LiveMap, live_map
from rednd_core.projection.map_cache import default_map_cache
from rednd_core.projection.pca import PooledPCA
from rednd_core.projection.quality import COLLAPSE_MAD
from rednd_core.projection.result import Projection
from rednd_core.projection.sample import NodeSample, sample_linked, sample_nodes
from rednd_core.projection.umap import JointUMAP, prewarm

__all__ = [
    "COLLAPSE_MAD",
    "METHOD_SETTINGS",
    "Alignment",
    "JointUMAP",
    "KNNGraph",
    "LiveMap",
    "Movers",
    "NodeSample",
    "PooledPCA",
    "Projection",
    "default_map_cache",
    "find",
    "live_map",
    "movers",
    "nearest",
    "neighbours",
    "prewarm",
    "procrustes",
    "project",
    "sample_linked",
    "sample_nodes",
]
