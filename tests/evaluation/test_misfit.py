"""Misfits against the planted truth of the sample shop, where a third of the pictures is wrong.

The truth of what a wrong picture caused does not use the rule: the trained model gets features of true
pictures instead, as the generator of the shop draws them (the same category and style, other noise), its
projection turns them into x^0, the item graph is made again, and everything is propagated. A recommendation
of an item with a wrong picture was caused by the picture if fewer than half of these draws leave the item in
the list.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import load_file

from rednd_core.data import load_dataset
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.linear import SAME, linear_model, readout_weights, reproduce
from rednd_core.evaluation.misfit import N_ALIKE, N_DONORS, find_misfits, misled
from rednd_core.evaluation.ranking import top_k
from rednd_core.graph.semantic import semantic_graph
from rednd_core.runs import Run
from rednd_core.samples import features as sample
from rednd_core.samples.catalogue import make_catalogue

SHOP = Path(__file__).parents[2] / "sample_data" / "shop"
SEED, K, N_DRAWS = 7, 20, 15


@pytest.fixture(scope="module")
def shop():
    return load_dataset(SHOP)


@pytest.fixture(scope="module")
def truth():
    with np.load(SHOP / "truth.npz") as arrays:
        return dict(arrays)


def true_pictures(shop, wrong, n):
    """Features of the shop whose wrong pictures show the item itself, ``n`` draws of their noise."""
    streams = np.random.default_rng(SEED).spawn(7)  # as rednd_core.samples.shop draws them
    catalogue, stream = make_catalogue(streams[0], shop.n_items), streams[4]
    planted = sample.plant_pictures(stream, catalogue)
    assert np.array_equal(planted.kind != sample.TRUE, wrong)
    sample.text_features(stream, catalogue)
    shown = sample._described(stream, catalogue.group)
    for draw in range(n):
        noise = sample._noise(np.random.default_rng(draw), shop.n_items, sample.IMAGE_NOISE)
        drawn = sample._finish(shown + noise)
        yield np.where(wrong[:, None], drawn, shop.features["image"])


def projected(checkpoint, rows):
    """RedNⁿD's x^0 of items: Linear, LeakyReLU, Linear, rows of length 1. Modality 0 is the image."""
    part = {k.split("projections.0.")[1]: v for k, v in checkpoint.items() if "projections.0." in k}
    hidden = rows @ part["0.weight"].T + part["0.bias"]
    hidden = np.where(hidden > 0, hidden, 0.01 * hidden)
    x = hidden @ part["2.weight"].T + part["2.bias"]
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def item_graph(shop, image):
    """The paper's fusion: .1 of the image graph, .9 of the text graph."""
    graphs = semantic_graph(image, 10), semantic_graph(shop.features["text"], 10)
    return sp.csr_array(0.1 * graphs[0].to_scipy() + 0.9 * graphs[1].to_scipy())


def listed(model, shop):
    """Which items stand in each user's list, (n_users, n_items), and the lists."""
    items, _ = top_k(*model.embeddings, shop.train_matrix, np.arange(shop.n_users), K)
    inside = np.zeros((shop.n_users, shop.n_items), dtype=bool)
    np.put_along_axis(inside, items, True, axis=1)
    return inside, items


@pytest.mark.parametrize("name", ["shop-rednnd-a0.1", "shop-rednnd-a0"])
def test_most_recommendations_that_a_wrong_picture_caused_are_found(shop, truth, name):
    layers = Run(SHOP / "runs" / name).layers()
    weights = readout_weights(layers.facts.readout, 3)
    graph = item_graph(shop, shop.features["image"])
    model, off = reproduce(
        shop.train_matrix, layers, layers.user_emb, layers.item_emb, weights, graph
    )
    assert off < SAME
    assert not model.graph_of_ego
    wrong = truth["picture_kind"] != sample.TRUE
    checkpoint = load_file(SHOP / "runs" / name / "checkpoints" / "best.safetensors")
    x = np.array(layers["image"][0])
    assert np.allclose(projected(checkpoint, shop.features["image"]), x[shop.n_users :], atol=1e-6)
    stays = np.zeros((shop.n_users, shop.n_items))
    for rows in true_pictures(shop, wrong, N_DRAWS):
        other = np.concatenate([x[: shop.n_users], projected(checkpoint, rows)])
        changed = replace(
            model, ego={**model.ego, "image": other}, item_graph=item_graph(shop, rows)
        )
        stays += listed(changed, shop)[0]
    inside, items = listed(model, shop)
    caused = inside & wrong & (2 * stays < N_DRAWS)
    assert caused.sum() > 400

    found = np.zeros_like(inside)
    misfits = find_misfits(shop.features, "image", shop.train_matrix)
    flags = misled(model, misfits, np.arange(shop.n_users), items)
    np.put_along_axis(found, items, flags, axis=1)
    assert (found & caused).sum() >= 0.7 * caused.sum()
    assert (found & ~caused).sum() <= 0.3 * found.sum()


def test_wrong_pictures_are_misfits_and_their_texts_are_not(shop, truth):
    wrong = truth["picture_kind"] != sample.TRUE
    pictures = find_misfits(shop.features, "image", shop.train_matrix).items
    assert wrong[pictures].mean() > 0.95
    assert np.isin(np.flatnonzero(wrong), pictures).mean() > 0.9
    texts = find_misfits(shop.features, "text", shop.train_matrix)
    assert len(texts.items) < 0.03 * shop.n_items


def test_donors_are_alike_and_no_misfits(shop):
    found = find_misfits(shop.features, "image", shop.train_matrix)
    assert found.donors.shape == (len(found.items), N_DONORS)
    assert not np.isin(found.donors, found.items).any()
    text = shop.features["text"].astype(np.float64)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    fitting = np.setdiff1d(np.arange(shop.n_items), found.items)
    for item, donors in list(zip(found.items, found.donors, strict=True))[:20]:
        nearest = np.sort(text[fitting] @ text[item])[::-1][:N_DONORS]
        assert np.allclose(text[donors] @ text[item], nearest, atol=1e-6)


def test_a_picture_that_nobody_could_judge_is_no_misfit(shop):
    """Items without a train interaction, and items without features."""
    found = find_misfits(shop.features, "image", shop.train_matrix)
    assert (shop.item_degrees[found.items] > 0).all()
    gone = found.items[:3]
    features = {name: rows.copy() for name, rows in shop.features.items()}
    features["image"][gone] = 0
    again = find_misfits(features, "image", shop.train_matrix)
    assert not np.isin(gone, again.items).any()
    assert not np.isin(gone, again.donors).any()


def test_one_modality_has_nothing_to_compare_with(shop):
    assert find_misfits({"image": shop.features["image"]}, "image", shop.train_matrix) is None
    few = {name: rows[:N_ALIKE] for name, rows in shop.features.items()}
    assert find_misfits(few, "image", shop.train_matrix[:, :N_ALIKE].tocsr()) is None


def test_what_does_not_fit_is_refused(shop):
    with pytest.raises(ConfigError, match="imgae"):
        find_misfits(shop.features, "imgae", shop.train_matrix)
    found = find_misfits(shop.features, "image", shop.train_matrix)
    layers = Run(SHOP / "runs" / "shop-lightgcn").layers()
    weights = readout_weights(layers.facts.readout, 3)
    model = linear_model(shop.train_matrix, layers, layers.user_emb, weights)
    with pytest.raises(ConfigError, match="image"):
        misled(model, found, [0], np.zeros((1, 3), dtype=np.int64))
    with pytest.raises(DataError, match="2 lists"):
        misled(model, found, [0], np.zeros((2, 3), dtype=np.int64))
