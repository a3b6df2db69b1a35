"""The data sets that an operator offers beside the samples."""

from __future__ import annotations

from app.exposure import declared_folders
from rednd_core.config import portable_path
from rednd_core.data.interactions import data_folders


def declared() -> list[str]:
    """Paths of the data sets in the folders of ``$REDND_DATA``, as a run stores them."""
    found = [data for folder in declared_folders() for data in data_folders(folder)]
    return [portable_path(folder.resolve()) for folder in found]
