from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from rednd_core.samples.catalogue import make_catalogue
from rednd_core.samples.features import (
    BLURRED,
    MIXED_UP,
    TRUE,
    image_features,
    plant_pictures,
    text_features,
)
from rednd_core.samples.history import TRAIN
from rednd_core.samples.vocabulary import groups

KNN_K = 10


def neighbours(features):
    similarity = features @ features.T
    np.fill_diagonal(similarity, -np.inf)
    return np.argsort(-similarity, axis=1)[:, :KNN_K]


def share_of_own_group(features, group):
    return (group[neighbours(features)] == group[:, None]).mean(axis=1)


@pytest.fixture(scope="module")
def planted(world):
    rng = np.random.default_rng(4)
    pictures = plant_pictures(rng, world.catalogue)
    return (
        pictures,
        text_features(rng, world.catalogue),
        image_features(rng, world.catalogue, pictures),
    )


def test_rows_are_unit_float32(planted):
    for features in planted[1:]:
        assert features.shape == (600, 64)
        assert features.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-3)


def test_kinds_have_the_documented_shares_and_truth(planted, world):
    pictures = planted[0]
    assert np.bincount(pictures.kind).tolist() == [390, 105, 105]
    category = np.array([c for c, _ in groups()])[pictures.shown_group]
    mixed = pictures.kind == MIXED_UP
    assert (category[mixed] != world.catalogue.category[mixed]).all()
    assert (pictures.shown_group[~mixed] == world.catalogue.group[~mixed]).all()


def test_text_tells_the_style_and_never_perfectly(planted, world):
    own = share_of_own_group(planted[1], world.catalogue.group).mean()
    assert 0.75 < own < 0.98


def test_text_tells_the_look_beyond_the_style(planted, world):
    """Same-look items are nearer than other items of the style: titles that start alike are alike."""
    catalogue, similarity = world.catalogue, planted[1] @ planted[1].T
    same_group = catalogue.group[:, None] == catalogue.group
    same_look = same_group & (catalogue.look[:, None] == catalogue.look)
    np.fill_diagonal(same_look, False)
    np.fill_diagonal(same_group, False)
    assert similarity[same_look].mean() > similarity[same_group & ~same_look].mean() + 0.05


def test_true_pictures_inform_mixed_up_ones_mislead_blurred_ones_are_noise(planted, world):
    pictures, _, image = planted
    own = share_of_own_group(image, world.catalogue.group)
    shown = share_of_own_group(image, pictures.shown_group)
    assert own[pictures.kind == TRUE].mean() > 0.5
    assert own[pictures.kind == MIXED_UP].mean() < 0.05
    assert shown[pictures.kind == MIXED_UP].mean() > 0.5
    assert own[pictures.kind == BLURRED].mean() < 0.15


def test_neighbours_by_text_are_bought_together_more_than_by_picture(planted, world):
    train = world.history[world.history["x_label"] == TRAIN]
    pairs = (train["userID"], train["itemID"])
    bought = sp.csr_array((np.ones(len(train)), pairs), shape=(1000, 600))
    together = (bought.T @ bought).toarray()
    popularity = np.maximum(together.diagonal(), 1)
    cosine = together / np.sqrt(np.outer(popularity, popularity))
    np.fill_diagonal(cosine, 0)

    def lift(features):
        return np.take_along_axis(cosine, neighbours(features), axis=1).mean() / cosine.mean()

    assert lift(planted[1]) > 4
    assert 2 < lift(planted[2]) < lift(planted[1])


def test_modalities_are_reproducible():
    catalogue = make_catalogue(np.random.default_rng(0), 150)
    first, second = (text_features(np.random.default_rng(9), catalogue) for _ in range(2))
    np.testing.assert_array_equal(first, second)
