"""Names that a data set brings along are text on every page: its own name, columns, values and titles."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.shared.text import escape_markdown
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.runs import ModelFacts, Provenance, RunRecord, RunStore, create_run
from rednd_core.smoothness import propagate_depth
from rednd_core.training.experiment import data_facts
from tests.app.markup import figure_texts, live_markup

EVIL = '![x](//evil.example/x.png)<a href="//evil.example">y</a>%{evil}'
IN_A_FOLDER = "![x](evil) <b>shop<"  # what a folder may be called
N_LAYERS = 2


@pytest.fixture(scope="module")
def folder(planted_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The planted data; columns, categories, titles and names are hostile."""
    own = tmp_path_factory.mktemp("data") / IN_A_FOLDER
    shutil.copytree(planted_folder, own)
    items = pd.read_csv(own / "items.csv")
    n = len(items)
    items["title"] = [f"{EVIL} {k}" for k in range(n)]
    items["category"] = [f"{EVIL} {k % 2}" for k in range(n)]
    items[EVIL] = [f"{EVIL} {k % 3}" for k in range(n)]
    items.to_csv(own / "items.csv", index=False)
    users = pd.DataFrame({"userID": [f"ann-{k}" for k in range(40)]})
    users["name"] = [f"{EVIL} {k}" for k in range(40)]
    users[EVIL] = [f"{EVIL} {k % 3}" for k in range(40)]
    users.to_csv(own / "users.csv", index=False)
    return own


@pytest.fixture(scope="module")
def planted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs of random vectors."""
    root = tmp_path_factory.mktemp("runs")
    data = load_dataset(folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    for seed, name in enumerate(("one", "two")):
        facts = ModelFacts.uniform(("id",), N_LAYERS, 8, linear_propagation=True)
        record = RunRecord(
            config=RunConfig(model="lightgcn", data=DataConfig(path=str(folder))),
            provenance=Provenance(seed=seed),
            data=data_facts(data),
            model=facts,
        )
        writer = create_run(root / name, record)
        start = np.random.default_rng(seed).normal(size=(graph.n_nodes, 8))
        layers = [x.astype(np.float32) for x in propagate_depth(start, graph, N_LAYERS)]
        writer.save_layers(
            {"id": layers}, layers[-1][: data.n_users], layers[-1][data.n_users :], epoch=1
        )
        writer.append_metrics({"epoch": 1, "losses": {"bpr": 0.5}, "valid": {"recall@20": 0.1}})
        writer.status("finished", epoch=1, best_epoch=1)
    return root


@pytest.fixture
def runs(
    planted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    show_store: Callable[[Path], RunStore],
) -> None:
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("app.cached.compile_umap", lambda: None)
    show_store(planted)


def open_page(
    page: str, state: dict[str, object] | None = None, **query: str | list[str]
) -> AppTest:
    app = AppTest.from_file(str(PROJECT_ROOT / page), default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    for key, value in (state or {}).items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    return app


EMBEDDINGS, RECOMMENDATIONS = "pages/1_Embeddings.py", "pages/3_Recommendations.py"
EXPLAIN = "pages/8_Explain.py"


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("app/main.py", {}),
        (EMBEDDINGS, {"run": "one", "vs": "two", "color": f"item {EVIL}", "node": "item:sku-1"}),
        (EMBEDDINGS, {"run": "one", "color": f"user {EVIL}", "node": "user:ann-1"}),
        (EMBEDDINGS, {"run": "one", "group": ["item:sku-1", "item:sku-2", "user:ann-1"]}),
        (EMBEDDINGS, {"run": "one", "color": f"item {EVIL}", "show": "animation"}),
        (RECOMMENDATIONS, {"run": "one", "vs": "two", "user": "ann-1"}),
        (RECOMMENDATIONS, {"run": "one", "vs": "two", "tab": "What if"}),
        (RECOMMENDATIONS, {"run": "one", "vs": "two", "user": "ann-1", "why": "sku-1"}),
        (RECOMMENDATIONS, {"run": "one", "vs": "two", "tab": "Two runs"}),
        *(
            (EXPLAIN, {"run": "one", "vs": "two", "part": part, "verdict": "near miss"})
            for part in ("Verdicts", "Slices", "Weak slices", "Beyond accuracy", "Tables")
        ),
        ("pages/2_Smoothness.py", {"runs": "one"}),
        ("pages/4_Training.py", {"job": "one"}),
        ("pages/6_Depth.py", {"run": "one", "vs": "two"}),
        ("pages/7_Learn.py", {"run": "one"}),
    ],
)
def test_no_name_becomes_markup(page: str, query: dict[str, str | list[str]]) -> None:
    app = open_page(page, **query)
    assert not app.error
    for payload in (EVIL, "![x](", "<b>shop<"):
        assert live_markup(app, payload) == []


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("page", ["pages/4_Training.py", "pages/5_Data.py"])
def test_no_name_becomes_markup_where_data_are_chosen(page: str, folder: Path) -> None:
    opened = {"train.open": True, "train.all": True, "data_path": str(folder)}
    query = {"dataset": str(folder)} if page == "pages/5_Data.py" else {}
    app = open_page(page, opened if not query else None, **query)
    assert not app.error
    for payload in (EVIL, "![x](", "<b>shop<"):
        assert live_markup(app, payload) == []


@pytest.mark.usefixtures("runs")
def test_the_names_are_there_as_text() -> None:
    app = open_page(EMBEDDINGS, run="one", color=f"item {EVIL}", node="item:sku-1")
    captions = "\n".join(caption.value for caption in app.caption)
    assert f"Column {escape_markdown(EVIL)} of the items table" in captions
    legends = [text for text in figure_texts(app) if "&lt;a href" in text]
    assert legends
    assert not any("%{" in text for text in legends)
