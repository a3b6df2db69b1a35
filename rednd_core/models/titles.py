"""What people call the models. Not in their classes, which cannot be read without torch."""

from __future__ import annotations

_TITLES = {
    "gcn": "GCN",
    "lightgcn": "LightGCN",
    "mf": "MF-BPR",
    "popularity": "Popularity",
    "rednnd": "RedNⁿD",
}


def model_title(name: str) -> str:
    """The title of the model ``name``; of one without a title here, that name."""
    return _TITLES.get(name, name)
