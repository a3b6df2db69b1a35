"""RedNⁿD against the plain dense implementation: layers, embeddings, losses and all gradients."""

from __future__ import annotations

import pytest
import torch

from rednd_core.config import MOST_MODALITIES
from rednd_core.errors import ConfigError
from rednd_core.modeling import rows
from rednd_core.models.rednnd import RedNnDHyperparameters

SIZE = 4


def parameters_of(model, reference):
    """The model's parameters by modality, as leaves of their own."""
    leaves = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
    weights = {}
    for i, m in enumerate(model.modalities):
        linear = f"projections.{i}"
        weights[m] = reference.Weights(
            preferences=leaves["preferences"][:, i],
            first=(leaves[f"{linear}.0.weight"], leaves[f"{linear}.0.bias"]),
            second=(leaves[f"{linear}.2.weight"], leaves[f"{linear}.2.bias"]),
            user_weight=leaves["modality_weights"][:, i, 0],
        )
    return leaves, weights


def pair(reference, dataset, model, *, fusion, knn_k=3, n_layers=3, n_mm_layers=1, t=0.2):
    leaves, weights = parameters_of(model, reference)
    train = list(zip(dataset.train.users.tolist(), dataset.train.items.tolist(), strict=True))
    return leaves, reference.Reference(
        train,
        dataset.n_users,
        dataset.n_items,
        dict(dataset.features),
        weights,
        n_layers=n_layers,
        n_mm_layers=n_mm_layers,
        knn_k=knn_k,
        fusion=fusion,
        t=t,
    )


def assert_equal_losses(model, slow, leaves, batch, scope) -> None:
    losses = model.losses(batch)
    users, positives, negatives = (
        column.tolist() for column in (batch.users, batch.pos_items, batch.neg_items)
    )
    expected = {
        "bpr": slow.bpr(users, positives, negatives),
        "regularization": slow.regularization(users),
    }
    if scope:
        expected["alignment"] = slow.alignment(scope, users, positives)
    assert set(losses) == set(expected)
    for name, want in expected.items():
        torch.testing.assert_close(losses[name], want, rtol=1e-9, atol=1e-11, msg=name)
        ours = torch.autograd.grad(
            losses[name], list(model.parameters()), retain_graph=True, allow_unused=True
        )
        theirs = torch.autograd.grad(
            want, list(leaves.values()), retain_graph=True, allow_unused=True
        )
        for key, mine, other in zip(leaves, ours, theirs, strict=True):
            zero = torch.zeros_like(leaves[key])
            torch.testing.assert_close(
                zero if mine is None else mine,
                zero if other is None else other,
                rtol=1e-7,
                atol=1e-10,
                msg=lambda text, key=key, name=name: f"d {name} / d {key}: {text}",
            )


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("scope", ["batch", "anchors", "full", None])
def test_two_modalities_in_every_scope(
    small, build, batch, reference, scope: str | None, padded: bool, monkeypatch
) -> None:
    """None: without alignment."""
    if padded:  # as on CUDA
        monkeypatch.setattr(rows, "_keeps_shapes", lambda ids: True)
    alignment = {"alignment_scope": scope} if scope else {"alignment_weight": 0.0}
    model = build(
        small, "rednnd", embedding_size=SIZE, knn_k=3, modalities=("image", "text"), **alignment
    )
    leaves, slow = pair(reference, small, model, fusion={"image": 0.1, "text": 0.9})
    assert_equal_losses(model, slow, leaves, batch, scope)


def test_layers_and_embeddings(small, build, reference) -> None:
    fusion = {"image": 0.3, "sound": 0.2, "text": 0.5}
    model = build(small, "rednnd", embedding_size=SIZE, knn_k=2, n_layers=2, fusion_weights=fusion)
    _, slow = pair(reference, small, model, fusion=fusion, knn_k=2, n_layers=2)
    layers = model.layers()
    assert list(layers) == ["image", "sound", "text"]
    for m, states in layers.items():
        for state, want in zip(states, slow.layers(m), strict=True):
            torch.testing.assert_close(state, want)
    for ours, want in zip(model.embeddings(), slow.embeddings(), strict=True):
        torch.testing.assert_close(ours, want)


@pytest.mark.parametrize("modalities", [("text",), ("image", "sound", "text")])
def test_one_and_three_modalities_share_the_item_graph_equally(
    small, build, batch, reference, modalities
) -> None:
    model = build(
        small, "rednnd", embedding_size=SIZE, knn_k=3, modalities=modalities,
        alignment_scope="anchors",
    )  # fmt: skip
    fusion = dict.fromkeys(modalities, 1 / len(modalities))
    leaves, slow = pair(reference, small, model, fusion=fusion)
    assert_equal_losses(model, slow, leaves, batch, "anchors")


@pytest.mark.parametrize("engine", ["dgl", "csr"])
def test_on_both_engines(small, build, batch, reference, engine: str) -> None:
    if engine == "dgl":
        pytest.importorskip("dgl")
    model = build(
        small, "rednnd", engine, embedding_size=SIZE, knn_k=3, modalities=("image", "text"),
        alignment_scope="full", temperature=0.7, n_layers=1,
    )  # fmt: skip
    fusion = {"image": 0.1, "text": 0.9}
    leaves, slow = pair(reference, small, model, fusion=fusion, n_layers=1, t=0.7)
    assert_equal_losses(model, slow, leaves, batch, "full")


@pytest.mark.parametrize("n_mm_layers", [0, 2])
def test_depth_of_the_item_graph(small, build, batch, reference, n_mm_layers: int) -> None:
    model = build(
        small, "rednnd", embedding_size=SIZE, knn_k=3, n_mm_layers=n_mm_layers,
        modalities=("image", "text"), alignment_weight=0,
    )  # fmt: skip
    fusion = {"image": 0.1, "text": 0.9}
    leaves, slow = pair(reference, small, model, fusion=fusion, n_mm_layers=n_mm_layers)
    assert_equal_losses(model, slow, leaves, batch, None)


def test_without_propagation(small, build, batch, reference) -> None:
    model = build(
        small, "rednnd", embedding_size=SIZE, knn_k=3, n_layers=0, alignment_weight=0,
        modalities=("text",),
    )  # fmt: skip
    leaves, slow = pair(reference, small, model, fusion={"text": 1.0}, n_layers=0)
    assert [len(states) for states in model.layers().values()] == [1]
    assert_equal_losses(model, slow, leaves, batch, None)


def test_alignment_without_propagation_is_refused(small, build) -> None:
    with pytest.raises(ConfigError, match=r"n_layers=0 and alignment_weight=0\.001"):
        build(small, "rednnd", n_layers=0)
    model = build(small, "rednnd", n_layers=0, alignment_weight=0)
    with pytest.raises(ConfigError, match="a loss of rednnd among bpr, regularization"):
        model.set_loss_weight("alignment", 0.5)


def test_alignment_is_switched_by_its_weight(small, build, batch) -> None:
    model = build(small, "rednnd", alignment_weight=0, knn_k=3)
    assert set(model.losses(batch)) == {"bpr", "regularization"}
    model.set_loss_weight("alignment", 0.1)
    assert set(model.losses(batch)) == {"bpr", "regularization", "alignment"}


def test_bf16_moves_the_alignment_alone_and_little(small, build, batch) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model = build(small, "rednnd", embedding_size=SIZE, alignment_precision=precision)
        losses[precision] = {name: value.item() for name, value in model.losses(batch).items()}
    exact, rounded = (losses[precision].pop("alignment") for precision in ("fp32", "bf16"))
    assert losses["bf16"] == losses["fp32"]
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=5e-3)


def test_missing_modalities(small, planted, make_dataset, build) -> None:
    with pytest.raises(ConfigError, match=r"among them video, but found image, sound, text"):
        build(small, "rednnd", modalities=("text", "video"))
    bare = make_dataset(3, 3, [(0, 0), (1, 1)])
    with pytest.raises(ConfigError, match="none in this data set"):
        build(bare, "rednnd")
    with pytest.raises(ConfigError, match=r"a weight for .*video"):
        build(planted, "rednnd", fusion_weights={"video": 1.0})


def test_more_modalities_than_a_run_can_record_are_refused(make_dataset, build) -> None:
    features = {f"m{k}": torch.ones(2, 2).numpy() for k in range(MOST_MODALITIES + 1)}
    many = make_dataset(2, 2, [(0, 0), (1, 1)], features=features)
    with pytest.raises(ConfigError, match="at most 16 modalities in a model, but found 17"):
        build(many, "rednnd")


def test_a_negative_fusion_weight_is_refused(small, build) -> None:
    with pytest.raises(ConfigError, match=r"fusion_weights\.image \(.*greater than or equal to 0"):
        build(small, "rednnd", fusion_weights={"image": -0.1})


def test_fusion_weights_that_would_do_nothing_are_refused(small, build) -> None:
    with pytest.raises(ConfigError, match="at least one weight above 0; n_mm_layers=0 leaves"):
        build(small, "rednnd", fusion_weights={"image": 0, "text": 0})
    with pytest.raises(ConfigError, match="weights of the chosen modalities, not of text"):
        build(small, "rednnd", modalities=("image",), fusion_weights={"text": 1})
    build(small, "rednnd", modalities=("image", "text"), fusion_weights={"text": 1})


def test_a_modality_named_twice_is_refused(small, build) -> None:
    with pytest.raises(ConfigError, match="modalities"):
        build(small, "rednnd", modalities=("text", "text"))


def test_the_fusion_of_the_paper_is_the_default(planted, build) -> None:
    """Image .1 and text .9; the same as saying so, another than the reverse."""
    default, said, reverse = (
        build(planted, "rednnd", **settings).embeddings()[1]
        for settings in (
            {},
            {"fusion_weights": {"image": 0.1, "text": 0.9}},
            {"fusion_weights": {"image": 0.9, "text": 0.1}},
        )
    )
    assert torch.equal(default, said)
    assert not torch.allclose(default, reverse)


def test_the_papers_settings_are_the_defaults() -> None:
    settings = RedNnDHyperparameters()
    assert (settings.embedding_size, settings.n_layers, settings.n_mm_layers) == (64, 3, 1)
    assert (settings.temperature, settings.modalities) == (0.2, ())


def test_initial_user_weights_are_a_softmax(small, build) -> None:
    weights = build(small, "rednnd").modality_weights.detach()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(6, 1, dtype=torch.float64))
    assert bool((weights > 0).all())
    assert weights.std() > 0.01


def test_the_batch_is_left_as_it_is(small, build, batch) -> None:
    before = [t.clone() for t in (batch.users, batch.pos_items, batch.neg_items)]
    build(small, "rednnd", knn_k=2).losses(batch)
    assert all(map(torch.equal, before, (batch.users, batch.pos_items, batch.neg_items)))
