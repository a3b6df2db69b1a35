"""Interactions, features and items: read, validated, split. Importing this imports no torch."""

from rednd_core.config import ColumnNames
from rednd_core.data.dataset import load_configured, load_dataset
from rednd_core.data.features import FeatureTable, read_features
from rednd_core.data.interactions import read_interactions
from rednd_core.data.items import image_path, read_items
from rednd_core.data.report import DataReport, check
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
    "image_path",
    "interaction_matrix",
    "load_configured",
    "load_dataset",
    "read_features",
    "read_interactions",
    "read_items",
    "split",
]
