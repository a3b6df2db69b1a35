"""Every page with runs whose layers differ in width and depth, and whose readouts no rule gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import cached
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig
from rednd_core.cosine import pair_mad
from rednd_core.data import load_dataset
from rednd_core.readout import Readout
from rednd_core.runs import ModelFacts, Provenance, Run, RunRecord, RunStore, create_run
from rednd_core.training.experiment import data_facts

PAGES = {path.stem: path for path in sorted((PROJECT_ROOT / "pages").glob("*.py"))}
PAGES["Home"] = PROJECT_ROOT / "app" / "main.py"
SHAPES = {
    "wide features": ModelFacts(
        widths={"image": (9, 4, 4, 4), "text": (6, 4)}, readout=Readout("last")
    ),
    "side by side": ModelFacts(widths={"id": (4, 3, 2)}, readout=Readout("concat")),
    "recorded": ModelFacts(
        widths={"id": (4, 4, 4), "image": (5, 4)},
        readout=Readout("sum", 1),
        readout_widths={"id": (4, 4, 4), "image": (3, 3)},
    ),
    "no layer": ModelFacts(widths={"id": (4,), "content": (6,)}, readout=Readout("last")),
}


@pytest.fixture(params=SHAPES)
def run(request: pytest.FixtureRequest, store: RunStore, planted_folder: Path) -> Run:
    """A finished run of that shape, of random numbers."""
    data, facts = load_dataset(planted_folder), SHAPES[request.param]
    record = RunRecord(
        config=RunConfig(model="lightgcn", data=DataConfig(path=str(planted_folder))),
        provenance=Provenance(seed=1),
        data=data_facts(data),
        model=facts,
    )
    writer = create_run(store.root / "shaped", record)
    rng, n_nodes = np.random.default_rng(3), data.n_users + data.n_items

    def drawn(widths: dict[str, tuple[int, ...]]) -> dict[str, list[np.ndarray]]:
        return {
            m: [rng.normal(size=(n_nodes, width)).astype(np.float32) for width in of_layers]
            for m, of_layers in widths.items()
        }

    final = rng.normal(size=(n_nodes, sum(facts.scored_widths.values()))).astype(np.float32)
    writer.save_layers(
        drawn(facts.widths),
        final[: data.n_users],
        final[data.n_users :],
        epoch=1,
        readouts=drawn(facts.readout_widths or {}),
    )
    writer.append_metrics({"epoch": 1, "losses": {"bpr": 0.5}, "valid": {"recall@20": 0.1}})
    writer.status("finished", epoch=1, best_epoch=1)
    return store.open("shaped")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler of UMAP is not asked for."""
    monkeypatch.setattr("app.cached.compile_umap", lambda: None)


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(PAGES[name]), default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_it(run: Run, page: str) -> None:
    open_page(page)


@pytest.mark.parametrize("view", ["layer output", "readout"])
@pytest.mark.parametrize("page", ["1_Embeddings", "6_Depth"])
def test_both_views_of_the_vectors(run: Run, page: str, view: str) -> None:
    open_page(page, vectors=view)


@pytest.mark.parametrize("view", ["layer", "readout"])
def test_both_views_of_the_measures(run: Run, view: str) -> None:
    for modality in run.record.model.modalities:
        open_page("2_Smoothness", smoothness_view=view, modality=modality)


def test_every_colour_of_the_map(run: Run) -> None:
    for color in ("agreement with neighbours", "agreement with layer 0"):
        open_page("1_Embeddings", color=color)


def test_smoothness_of_readouts_is_that_of_what_scores(run: Run) -> None:
    index, data = run.layers(), cached.run_dataset(run)
    linked = np.flatnonzero(data.user_degrees)
    table = cached.smoothness(run, ["mad"])
    for modality in index:
        for k, z in enumerate(index.readouts(modality)):
            row = table[
                (table["view"] == "readout")
                & (table["modality"] == modality)
                & (table["layer"] == k)
                & (table["side"] == "users")
            ]
            assert row["value"].item() == pytest.approx(pair_mad(z[linked].astype(np.float64)))


def test_recall_by_layer_is_that_of_what_scores(run: Run) -> None:
    """Against a full sort of the scores of every user with validation items."""
    data = cached.run_dataset(run)
    held_out: dict[int, set[int]] = {}
    for user, item in zip(data.valid.users.tolist(), data.valid.items.tolist(), strict=True):
        held_out.setdefault(user, set()).add(item)
    seen = data.train_matrix.toarray() > 0
    for modality in run.record.model.modalities:
        found = cached.layer_recall(run, modality, "readout")
        for k, z in enumerate(run.layers().readouts(modality)):
            scores = z[: data.n_users] @ z[data.n_users :].T
            scores[seen] = -np.inf
            best = np.argsort(-scores, axis=1)[:, :20]
            recalls = [
                len(items & {*best[u].tolist()}) / len(items) for u, items in held_out.items()
            ]
            assert found["value"][k] == pytest.approx(np.mean(recalls), abs=1e-6)


def test_layers_of_another_width_are_not_drawn_beside_the_last(run: Run) -> None:
    facts = run.record.model
    modality = facts.modalities[0]
    app = open_page("1_Embeddings", modality=modality)
    left_out = len(facts.like_last(modality)) < len(facts.widths[modality])
    assert ("Not on the maps: layer 0" in words(app)) == left_out


def test_the_first_layer_alone_can_be_drawn(run: Run) -> None:
    app = open_page("1_Embeddings", layers="0")
    assert "Not on the maps" not in words(app)
