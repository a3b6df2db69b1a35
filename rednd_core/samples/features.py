"""The two modalities: text that describes an item well, pictures that partly mislead.

Text row    = category direction + style direction + look direction + noise
Image row   = category direction + style direction of what the picture SHOWS + noise

Directions are random unit vectors, other ones for each modality. A share of the pictures is useless
(see :class:`Pictures`): a mixed-up picture shows an item of another category, a blurred one carries
noise alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core.data.schema import FloatArray, IntArray
from rednd_core.samples.catalogue import Catalogue
from rednd_core.samples.vocabulary import N_LOOKS, groups

TRUE, MIXED_UP, BLURRED = 0, 1, 2
PICTURE_KINDS = ("true", "mixed_up", "blurred")
NOISY_SHARE = 0.35
STYLE_STRENGTH = 0.7
LOOK_STRENGTH = 0.7
TEXT_NOISE = 1.3
IMAGE_NOISE = 0.9
DIM = 64
DECIMALS = 4
"""Rows are rounded, so that their bytes do not depend on the order of a BLAS's sums."""


@dataclass(frozen=True)
class Pictures:
    """What the pictures show: ``shown_group`` and ``kind`` (index of ``PICTURE_KINDS``), (n_items,)."""

    shown_group: IntArray
    kind: IntArray


def plant_pictures(rng: np.random.Generator, catalogue: Catalogue) -> Pictures:
    """Spoil ``NOISY_SHARE`` of the pictures: half mixed up with another category, half blurred."""
    n = len(catalogue)
    category = np.array([c for c, _ in groups()])
    spoiled = rng.permutation(n)[: round(NOISY_SHARE * n)]
    half = len(spoiled) // 2
    kind = np.full(n, TRUE)
    kind[spoiled[:half]], kind[spoiled[half:]] = MIXED_UP, BLURRED
    shown = catalogue.group.copy()
    for item in spoiled[:half]:
        shown[item] = rng.choice(np.flatnonzero(category != catalogue.category[item]))
    return Pictures(shown, kind)


def text_features(rng: np.random.Generator, catalogue: Catalogue) -> FloatArray:
    """(n_items, DIM) float32, unit rows."""
    by_look = _directions(rng, len(groups()) * N_LOOKS)
    rows = _described(rng, catalogue.group)
    rows += LOOK_STRENGTH * by_look[catalogue.group * N_LOOKS + catalogue.look]
    return _finish(rows + _noise(rng, len(catalogue), TEXT_NOISE))


def image_features(
    rng: np.random.Generator, catalogue: Catalogue, pictures: Pictures
) -> FloatArray:
    """(n_items, DIM) float32, unit rows."""
    rows = _described(rng, pictures.shown_group) + _noise(rng, len(catalogue), IMAGE_NOISE)
    noise = _noise(rng, len(catalogue), 1.0)
    return _finish(np.where((pictures.kind == BLURRED)[:, None], noise, rows))


def _described(rng: np.random.Generator, group: IntArray) -> NDArray[np.float64]:
    category = np.array([c for c, _ in groups()])
    by_category = _directions(rng, int(category.max()) + 1)
    by_style = _directions(rng, len(category))
    rows: NDArray[np.float64] = by_category[category[group]] + STYLE_STRENGTH * by_style[group]
    return rows


def _directions(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return _unit(rng.standard_normal((count, DIM)))


def _noise(rng: np.random.Generator, count: int, length: float) -> NDArray[np.float64]:
    """Gaussian rows of expected length ``length``."""
    rows: NDArray[np.float64] = rng.standard_normal((count, DIM)) * (length / np.sqrt(DIM))
    return rows


def _finish(rows: NDArray[np.float64]) -> FloatArray:
    rounded: FloatArray = np.round(_unit(rows), DECIMALS).astype(np.float32)
    return rounded


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
