"""Every cache of the app. Views reach the core's slow parts through this package only.

Caches are shared by all browser sessions: what comes out is never changed in place. Each key holds
everything that the value depends on; a run that is still training changes its ``layer_version``.
"""

from app.cached.data import data_report, dataset, graph, node_names, run_dataset, thumbnail, users
from app.cached.depths import ALL, Vectors, modalities, view_layers
from app.cached.explain import (
    attribution,
    diversity_vectors,
    evidence,
    judged_soon,
    linear_model,
    lists,
    misfits,
    misled_recommendations,
    verdicts,
)
from app.cached.lessons import lesson, lesson_world
from app.cached.maps import (
    LayerMap,
    joined_map,
    joined_umap,
    known_joined_umap,
    known_projection,
    projection,
)
from app.cached.measures import (
    RECALL_K,
    agreement,
    joined_mad,
    layer_recall,
    mean_cosine,
    n_isolated,
    neighbours,
    smoothness,
)
from app.cached.models import models
from app.cached.pairs import LayerPair, aligned_pair, movers
from app.cached.ranking import (
    CUT_OFFS,
    evaluation,
    evaluation_of,
    n_evaluable,
    ranks,
    recommendations,
    slices,
)
from app.cached.runs import (
    alignment_weight,
    epoch_metrics,
    history,
    layers,
    per_user,
    run_entries,
    store,
)
from app.cached.stage import replay_of, sources, stage
from app.cached.umap import compile_umap

__all__ = [
    "ALL",
    "CUT_OFFS",
    "RECALL_K",
    "LayerMap",
    "LayerPair",
    "Vectors",
    "agreement",
    "aligned_pair",
    "alignment_weight",
    "attribution",
    "compile_umap",
    "data_report",
    "dataset",
    "diversity_vectors",
    "epoch_metrics",
    "evaluation",
    "evaluation_of",
    "evidence",
    "graph",
    "history",
    "joined_mad",
    "joined_map",
    "joined_umap",
    "judged_soon",
    "known_joined_umap",
    "known_projection",
    "layer_recall",
    "layers",
    "lesson",
    "lesson_world",
    "linear_model",
    "lists",
    "mean_cosine",
    "misfits",
    "misled_recommendations",
    "modalities",
    "models",
    "movers",
    "n_evaluable",
    "n_isolated",
    "neighbours",
    "node_names",
    "per_user",
    "projection",
    "ranks",
    "recommendations",
    "replay_of",
    "run_dataset",
    "run_entries",
    "slices",
    "smoothness",
    "sources",
    "stage",
    "store",
    "thumbnail",
    "users",
    "verdicts",
    "view_layers",
]
