"""Interactions, features and items: read, validated, split. Importing this imports no torch."""

from rednd_core.config import ColumnNames
from rednd_core.data.dataset import (
    load_configured,
    load_dataset,
    load_recorded,
    without_interactions,
)
from rednd_core.data.features import FeatureTable, read_features
from rednd_core.data.interactions import read_interactions
from rednd_core.data.items import image_path
from rednd_core.data.report import DataReport, check, check_configured
from rednd_core.data.schema import (
    Dataset,
    Interactions,
    InteractionTable,
    Notice,
    Split,
    interaction_matrix,
)
from rednd_core.data.split import split

__all__ = [
    "ColumnNames",
    "DataReport",
    "Dataset",
    "FeatureTable",
    "InteractionTable",
    "Interactions",
    "Notice",
    "Split",
    "check",
    "check_configured",
    "image_path",
    "interaction_matrix",
    "load_configured",
    "load_dataset",
    "load_recorded",
    "read_features",
    "read_interactions",
    "split",
    "without_interactions",
]
