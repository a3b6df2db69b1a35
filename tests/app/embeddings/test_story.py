"""The sentences under the maps: whether the vectors of this very run gather."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app.embeddings.story import spread_story, verdict
from app.embeddings.view import INTRODUCTION
from rednd_core import wording
from rednd_core.projection import project
from tests.app.embeddings.page import N_USERS, open_page, words

NAMES = ["layer 0", "layer 3"]


def found(users, items, spread, widths=(1.0, 1.0), *, collapsed=False):
    """A map of two layers with these measures, ``widths`` wide."""
    quality = [
        {"mad_users": u, "mad_items": i, "spread": s}
        for u, i, s in zip(users, items, spread, strict=True)
    ]
    square = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) / np.sqrt(2)
    coords = [square * width for width in widths]
    return SimpleNamespace(quality=quality, coords=coords, collapsed=[False, collapsed])


def test_a_run_that_gathers() -> None:
    told = spread_story(NAMES, {"pca": found((0.96, 0.71), (0.99, 0.57), (0.99, 0.81))})
    assert told.startswith("**From layer 0 to layer 3, users and items contract**: ")
    assert "MAD of users 0.960 → 0.710, of items 0.990 → 0.570" in told
    assert "spread of all vectors 0.990 → 0.810" in told


def test_a_run_that_does_not_gather() -> None:
    told = spread_story(NAMES, {"pca": found((1.0, 0.88), (1.0, 0.98), (1.0, 0.97))})
    assert "users contract a little, items stay as far apart as they were**" in told


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (0.9, 0.01, "contract until all of them have almost one direction"),
        (0.9, 0.6, "contract"),
        (0.9, 0.82, "contract a little"),
        (0.9, 0.88, "stay as far apart as they were"),
        (0.9, 0.99, "move apart"),
        (0.01, 0.01, "stay as far apart as they were"),
    ],
)
def test_verdicts(before: float, after: float, wanted: str) -> None:
    assert verdict(before, after) == wanted


def test_why_the_pca_map_grows_is_said_only_where_it_grows() -> None:
    measures = ((0.9, 0.6), (0.9, 0.6), (1.0, 0.8))
    grown = spread_story(NAMES, {"pca": found(*measures, widths=(0.5, 0.6))})
    assert "cloud changes ×0.80, that of the PCA map ×1.20." in grown
    assert "two directions only" in grown
    assert "the map grows although the vectors do not move apart" in grown
    shrunk = spread_story(NAMES, {"pca": found(*measures, widths=(0.5, 0.45))})
    assert "two directions only" in shrunk
    assert "the map grows" not in shrunk
    along = spread_story(NAMES, {"pca": found(*measures, widths=(0.5, 0.4))})
    assert "two directions only" not in along


def test_umap_is_named_only_where_it_is_shown() -> None:
    pca = found((0.9, 0.6), (0.9, 0.6), (1.0, 0.8))
    assert "UMAP" not in spread_story(NAMES, {"pca": pca})
    both = spread_story(NAMES, {"pca": pca, "umap": pca})
    assert "of the UMAP map ×1.00" in both
    assert "UMAP does not show this collapse" not in both


def test_a_collapse_that_umap_hides_is_said_with_both_factors() -> None:
    measures = ((0.9, 0.001), (0.9, 0.001), (1.0, 0.04))
    pca = found(*measures, widths=(0.5, 0.02), collapsed=True)
    wide = found(*measures, widths=(2.0, 3.0), collapsed=True)
    told = spread_story(NAMES, {"pca": pca, "umap": wide})
    assert "cloud changes ×0.04, that of the PCA map ×0.04, that of the UMAP map ×1.50." in told
    assert "**UMAP does not show this collapse**" in told
    honest = spread_story(NAMES, {"pca": pca, "umap": pca})
    assert "UMAP does not show" not in honest


def test_undefined_measures_tell_no_story() -> None:
    assert spread_story(NAMES, {"pca": found((0.9, None), (0.9, 0.6), (1.0, 0.8))}) == ""
    assert spread_story(NAMES, {"pca": found((0.0, 0.1), (0.9, 0.6), (1.0, 0.8))}) == ""


def test_the_page_tells_the_story_of_its_run_without_umap(add_run) -> None:
    layers = add_run("one", linear=False)
    app = open_page()
    quality = project(layers, "pca", n_users=N_USERS).quality
    before, after = quality[0]["mad_users"], quality[-1]["mad_users"]
    assert f"MAD of users {wording.measure(before)} → {wording.measure(after)}" in words(app)
    assert "From layer" not in words(open_page(layers="2"))


def test_the_introduction_promises_no_gathering() -> None:
    assert "watch the clouds gather" not in INTRODUCTION
