"""Home: the first picture, what is said about it, and the list of runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import cached
from app.cached.measures import joined_sample
from app.home import view as home
from app.home.story import choose_story
from app.shared.chapter import DEEP
from rednd_core import wording
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig, TrainingConfig
from rednd_core.data import load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.runs import (
    EvaluationRecord,
    ModelFacts,
    Provenance,
    Run,
    RunRecord,
    RunStore,
    create_run,
)
from rednd_core.smoothness import measure_layers, propagate_depth
from rednd_core.training.experiment import data_facts
from tests.app.sent import figures, numbers

N_LAYERS = 2
HOME = str(PROJECT_ROOT / "app" / "main.py")


@pytest.fixture
def add_run(store: RunStore, planted_folder: Path) -> Callable[..., Any]:
    """``add_run(name, model, modalities, **hyperparameters)``: a finished run of linear layers."""
    data = load_dataset(planted_folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)

    def add(
        name: str,
        model: str = "lightgcn",
        modalities: tuple[str, ...] = ("id",),
        folder: Path = planted_folder,
        seed: int = 1,
        recall: float = 0.125,
        **settings: Any,
    ) -> dict[str, list[np.ndarray]]:
        rng = np.random.default_rng(len(name))
        facts = data_facts(data)
        config = RunConfig(
            model=model,
            data=DataConfig(path=str(folder)),
            hyperparameters=settings,
            training=TrainingConfig(seed=seed),
        )
        shape = ModelFacts.uniform(modalities, N_LAYERS, 8, linear_propagation=True)
        record = RunRecord(config=config, provenance=Provenance(seed=1), data=facts, model=shape)
        writer = create_run(store.root / name, record)
        stacks = {
            modality: [
                layer.astype(np.float32)
                for layer in propagate_depth(rng.normal(size=(graph.n_nodes, 8)), graph, N_LAYERS)
            ]
            for modality in modalities
        }
        scoring = np.hstack([sum(stack) for stack in stacks.values()]).astype(np.float32)
        writer.save_layers(stacks, scoring[: data.n_users], scoring[data.n_users :], epoch=3)
        writer.save_evaluation(
            EvaluationRecord(
                epoch=3,
                valid={"recall@20": 0.25},
                test={"recall@20": recall},
                n_users={"valid": 40, "test": 40},
            )
        )
        writer.status("finished", epoch=3, best_epoch=3)
        return stacks

    return add


def open_home(**query: str) -> AppTest:
    app = AppTest.from_file(HOME, default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def lines(figure: dict[str, Any]) -> dict[str, np.ndarray]:
    return {t["name"]: numbers(t["y"]) for t in figure["data"] if t["type"] == "scatter"}


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


def test_the_first_picture_shows_what_the_core_measures(add_run, planted_folder: Path) -> None:
    stack = add_run("flat")["id"]
    app = open_home()
    assert not app.exception
    assert not app.error
    maps, chart = figures(app)
    data = load_dataset(planted_folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    deep = propagate_depth(stack[0], graph, DEEP)
    wanted = measure_layers({"id": deep}, graph, measures=["mad"])
    drawn = lines(chart)
    assert set(drawn) == {"LightGCN · users", "LightGCN · items"}
    for side in ("users", "items"):
        expected = wanted[wanted["side"] == side]["value"].to_numpy()
        np.testing.assert_allclose(drawn[f"LightGCN · {side}"], expected, rtol=1e-4, atol=1e-7)
    start = wanted[(wanted["layer"] == 0) & (wanted["side"] == "users")]["value"].item()
    assert f"from {wording.measure(start)} to" in words(app)
    assert "40 of 40 users, 30 of 30 items" in words(app)
    nodes = np.concatenate([numbers(t["customdata"]) for t in maps["data"][:2]])
    assert sorted(nodes) == list(range(70))


def test_isolated_nodes_are_left_out_of_maps_and_lines(store: RunStore, tmp_path: Path) -> None:
    """At layer 16 they would be a second dot beside that of all others, which a room reads as a kind."""
    folder = tmp_path / "lonely"
    folder.mkdir()
    pairs = [(u, i) for u in range(6) for i in range(5) if (u + i) % 2 and u != 2]
    rows = [f"{u}\t{i}\t0" for u, i in pairs] + ["2\t5\t2", "3\t5\t1"]  # user 2, item 5: no train
    (folder / "lonely.inter").write_text("\n".join(["userID\titemID\tx_label", *rows]) + "\n")
    data = load_dataset(folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    assert np.flatnonzero(graph.degrees == 0).tolist() == [2, 11]
    stack = np.random.default_rng(0).normal(size=(2, graph.n_nodes, 3)).astype(np.float32)
    record = RunRecord(
        config=RunConfig(model="lightgcn", data=DataConfig(path=str(folder))),
        provenance=Provenance(seed=1),
        data=data_facts(data),
        model=ModelFacts.uniform(("id",), 1, 3),
    )
    writer = create_run(store.root / "lonely", record)
    writer.save_layers({"id": list(stack)}, stack[1][:6], stack[1][6:], epoch=1)
    run = store.open("lonely")

    whole = [stack[0], *propagate_depth(stack[1], graph, 3)]
    wanted = measure_layers({"joined": whole}, graph, measures=["mad"])
    found = cached.joined_mad(run, 4)
    for column in ("layer", "side", "n"):
        assert found[column].tolist() == wanted[column].tolist()
    np.testing.assert_allclose(found["value"], wanted["value"], rtol=1e-6)
    assert cached.n_isolated(run) == 2
    for layer, sampled in zip(whole, joined_sample(run, 4), strict=True):
        nodes = sampled.sample.nodes
        assert nodes.tolist() == [n for n in range(graph.n_nodes) if n not in (2, 11)]
        np.testing.assert_allclose(sampled[nodes], layer[nodes], rtol=1e-5, atol=1e-7)


def test_the_toggle_ends_maps_and_lines_at_the_trained_depth(add_run) -> None:
    add_run("flat")
    app = open_home()
    assert len(lines(figures(app)[1])["LightGCN · users"]) == DEEP + 1
    panels = len(figures(app)[0]["data"])
    app.toggle[0].set_value(False).run()
    assert len(lines(figures(app)[1])["LightGCN · users"]) == N_LAYERS + 1
    assert len(figures(app)[0]["data"]) == 2 * (N_LAYERS + 1) < panels


def test_a_permalink_restores_the_view(add_run) -> None:
    add_run("flat")
    app = open_home(deep="false")
    assert app.toggle[0].value is False
    assert len(lines(figures(app)[1])["LightGCN · users"]) == N_LAYERS + 1


def test_the_story_is_one_model_without_and_with_the_alignment(add_run) -> None:
    """Beside another model nobody could say what the alignment did."""
    add_run("flat", recall=0.9)
    for weight in (0.0, 0.5, 0.01):
        add_run(f"red-{weight}", "rednnd", ("image", "text"), alignment_weight=weight)
    add_run("deeper", "rednnd", ("image", "text"), alignment_weight=0.9, knn_k=20)
    app = open_home()
    maps, chart = figures(app)
    sides = ("users", "items")
    assert set(lines(chart)) == {
        f"RedNⁿD, alignment {w} · {s}" for w in ("0", "0.5") for s in sides
    }
    titles = [note["text"] for note in maps["layout"]["annotations"]]
    assert len(titles) == 8  # a row of four layers for each run
    assert all("alignment 0<" in title for title in titles[:4])
    assert all("alignment 0.5<" in title for title in titles[4:])
    assert "Test recall@20 is 0.1250 with 0.5 and 0.1250 with 0, of one seed" in words(app)
    assert "modalities side by side" in "\n".join(c.value for c in app.caption)
    table = app.dataframe[0].value.set_index("run")
    assert table.loc["red-0.01", "alignment weight"] == "0.01"
    assert table.loc["flat", "alignment weight"] == ""
    assert table.loc["flat", "test recall@20"] == 0.9
    assert set(table["state"]) == {"finished"}


def test_a_claim_about_recall_names_its_seeds_and_their_spread(add_run) -> None:
    for seed, (without, with_) in enumerate([(0.40, 0.43), (0.42, 0.41), (0.41, 0.42)], start=1):
        add_run(f"a{seed}", "rednnd", ("text",), seed=seed, recall=without, alignment_weight=0.0)
        add_run(f"b{seed}", "rednnd", ("text",), seed=seed, recall=with_, alignment_weight=0.5)
    add_run(
        "b4", "rednnd", ("text",), seed=4, recall=0.99, alignment_weight=0.5
    )  # without a partner
    told = words(open_home())
    assert "0.4200 ± 0.0100 with 0.5 and 0.4100 ± 0.0100 with 0" in told
    assert "of the seeds 1, 2, 3" in told
    assert "higher with 0.5 in 2 of 3 seeds" in told


def test_both_kinds_can_be_seen_where_they_overlap(add_run) -> None:
    add_run("flat")
    users, items = figures(open_home())[0]["data"][:2]
    assert (users["name"], items["name"]) == ("users", "items")  # items are drawn on top
    assert users["marker"]["symbol"] != items["marker"]["symbol"]
    assert users["marker"]["size"] > items["marker"]["size"]


def test_runs_on_other_data_are_not_compared(add_run, store: RunStore) -> None:
    add_run("flat")
    add_run("aligned", "rednnd", ("text",), alignment_weight=0.5)
    add_run("red", "rednnd", ("text",), alignment_weight=0.0)
    config = store.root / "red" / "config.json"
    record = json.loads(config.read_text())
    record["data"]["digest"] = "another"
    config.write_text(json.dumps(record))
    story = choose_story(store.list())
    assert story is not None
    assert story.other is None


def test_an_empty_store_says_how_to_train(store: RunStore) -> None:
    app = open_home()
    assert not app.exception
    assert not figures(app)
    assert "rednd train" in app.code[0].value
    assert len(app.get("page_link")) == 8  # the seven pages, and training once more


def test_a_broken_run_is_named_and_hides_nothing(add_run, store: RunStore) -> None:
    add_run("flat")
    (store.root / "torn").mkdir()
    app = open_home()
    assert not app.exception
    assert len(figures(app)) == 2
    assert "torn" in app.warning[0].value


def test_a_run_with_a_problem_is_named_and_no_chapter(add_run, store, monkeypatch) -> None:
    add_run("flat")
    add_run("torn")
    entries = [
        replace(e, problem="Its index is broken.") if e.name == "torn" else e for e in store.list()
    ]
    (store.root / "torn" / "layers" / "index.json").write_text("{")
    monkeypatch.setattr(cached, "run_entries", lambda: entries)
    app = open_home()
    assert not app.exception
    assert not app.error
    assert len(figures(app)) == 2
    assert app.dataframe[0].value["run"].tolist() == ["flat"]
    assert [warning.value for warning in app.warning] == [r"torn\: Its index is broken\."]


@pytest.mark.parametrize(
    ("name", "content"), [("evaluation.json", "{"), ("metrics.jsonl", "no JSON\n")]
)
def test_one_broken_file_costs_the_row_of_that_run_only(
    add_run, store: RunStore, name: str, content: str
) -> None:
    add_run("flat")
    add_run("red", "rednnd", ("text",), alignment_weight=0.5)
    add_run("torn", "rednnd", ("text",), alignment_weight=0.1)
    (store.root / "torn" / name).write_text(content)
    app = open_home()
    assert not app.exception
    assert not app.error
    assert len(figures(app)) == 2
    assert sorted(app.dataframe[0].value["run"]) == ["flat", "red"]
    assert "torn" in app.warning[0].value


def test_an_evaluation_is_read_once_a_row(add_run, store: RunStore, monkeypatch) -> None:
    add_run("flat")
    (entry,) = store.list()
    read: list[str] = []
    original = Run.evaluation
    monkeypatch.setattr(Run, "evaluation", lambda run: read.append(run.name) or original(run))
    home._row(entry)
    assert read == ["flat"]


def test_data_that_is_gone_leaves_the_list_of_runs(add_run, tmp_path: Path) -> None:
    add_run("flat", folder=tmp_path / "gone")
    app = open_home()
    assert not app.exception
    assert "gone" in app.error[0].value
    assert app.dataframe[0].value["run"].tolist() == ["flat"]


def test_umap_stands_beside_the_other_maps_where_it_is_known(add_run, store, monkeypatch) -> None:
    add_run("flat")
    assert len(figures(open_home())) == 2
    known = cached.joined_map(store.open("flat"), [0, N_LAYERS, DEEP // 2, DEEP], DEEP)
    monkeypatch.setattr(cached, "known_joined_umap", lambda run, shown, reach: known)
    app = open_home()
    assert len(figures(app)) == 3
    assert any("UMAP" in head.value for head in app.header)


def test_titles_cannot_bring_markup_into_the_hover_text(
    add_run, planted_folder: Path, tmp_path: Path
) -> None:
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for file in planted_folder.iterdir():
        (hostile / file.name).write_bytes(file.read_bytes())
    items = hostile / "items.csv"
    items.write_text(items.read_text().replace("Thing 0", '<a href="x">Thing</a>'))
    add_run("flat", folder=hostile)
    app = open_home()
    assert not app.error
    text = "\n".join(t for trace in figures(app)[0]["data"] for t in trace["text"])
    assert "&lt;a href" in text
    assert "<a" not in text
