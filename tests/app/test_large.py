"""The app on a graph of 50,000 nodes: nothing that is said, sent or built grows with the graph."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.testing.v1 import AppTest

from app import cached
from app.data.items import item_table, user_table
from app.embeddings import export as embeddings_export
from app.shared import node_select
from app.smoothness.tables import ChosenRun, recall_rows
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig
from rednd_core.data import ids as ids_module
from rednd_core.data import load_dataset
from rednd_core.data.ids import NumberIds
from rednd_core.data.items import align_items
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.users import standing
from rednd_core.runs import ModelFacts, Provenance, RunRecord, RunStore, create_run
from rednd_core.training.experiment import data_facts
from tests.app.forbid import forbid

N_USERS, N_ITEMS, SIZE = 45_000, 5_000, 4
MOST_SPELLED = 20_000  # ids that a page may make strings of: those of the maps and lists
MOST_BYTES = 2_000_000  # of one message
RANKED = 300  # users that the tests' budget allows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every user has four train items, one to validate on and one to test on; ids are numbers."""
    place = tmp_path_factory.mktemp("data") / "wide"
    place.mkdir()
    users = np.repeat(np.arange(N_USERS), 6)
    items = (users * 7 + np.tile(np.arange(6) * 611, N_USERS)) % N_ITEMS
    labels = np.tile(np.array([0, 0, 0, 0, 1, 2], dtype=np.int8), N_USERS)
    table = pa.table({"userID": users, "itemID": items, "x_label": labels})
    pq.write_table(table, place / "interactions.parquet")
    return place


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Dataset:
    return load_dataset(folder)


@pytest.fixture(scope="module")
def planted(folder: Path, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    facts = ModelFacts.uniform(("id",), 1, SIZE)
    for seed, name in enumerate(("one", "two")):
        record = RunRecord(
            config=RunConfig(model="lightgcn", data=DataConfig(path=str(folder))),
            provenance=Provenance(seed=1),
            data=data_facts(dataset),
            model=facts,
        )
        rng = np.random.default_rng(seed)
        layers = rng.normal(size=(2, N_USERS + N_ITEMS, SIZE)).astype(np.float32)
        writer = create_run(root / name, record)
        writer.save_layers({"id": list(layers)}, layers[1][:N_USERS], layers[1][N_USERS:], epoch=1)
        writer.status("finished", epoch=1, best_epoch=1)
    return root


@pytest.fixture
def runs(
    planted: Path, show_store: Callable[[Path], RunStore], monkeypatch: pytest.MonkeyPatch
) -> RunStore:
    monkeypatch.setattr(
        "rednd_core.evaluation.sample.sample_held_out.__defaults__", (RANKED * N_ITEMS, 0)
    )
    monkeypatch.setattr("app.explain.tables.MOST_SCORES", RANKED * N_ITEMS)
    return show_store(planted)


@pytest.fixture
def spelled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many ids became Python strings, call by call."""
    counts: list[int] = []
    real = ids_module._spelled

    def counted(numbers):
        counts.append(np.size(numbers))
        return real(numbers)

    monkeypatch.setattr(ids_module, "_spelled", counted)
    return counts


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Bytes of every message to the browser."""
    sizes: list[int] = []
    real = ForwardMsgQueue.enqueue

    def enqueue(self, message):
        sizes.append(message.ByteSize())
        return real(self, message)

    monkeypatch.setattr(ForwardMsgQueue, "enqueue", enqueue)
    return sizes


def open_page(number_and_name: str, **query: str) -> AppTest:
    page = PROJECT_ROOT / "pages" / f"{number_and_name}.py"
    app = AppTest.from_file(str(page), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    assert not app.error
    return app


def words(app: AppTest) -> str:
    return "\n".join(element.value for element in [*app.caption, *app.markdown])


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("1_Embeddings", {"run": "one", "node": "user:44000", "vs": "two"}),
        ("3_Recommendations", {"run": "one", "vs": "two"}),
        ("3_Recommendations", {"run": "one", "user": "44000", "tab": "What if"}),
        ("8_Explain", {"run": "one"}),
        ("8_Explain", {"run": "one", "part": "Slices"}),
        ("8_Explain", {"run": "one", "part": "Tables"}),
        ("5_Data", {}),
    ],
)
@pytest.mark.usefixtures("runs")
def test_a_page_neither_spells_nor_sends_the_graph(page, query, folder, spelled, sent) -> None:
    if page == "5_Data":
        query = {"dataset": str(folder)}
    cached.dataset(DataConfig(path=str(folder)))  # its digest is made of all ids, block by block
    spelled.clear()
    app = open_page(page, **query)
    assert sum(spelled) < MOST_SPELLED
    assert 0 < max(sent) < MOST_BYTES
    assert all(len(box.options) <= node_select.MAX_OPTIONS for box in app.selectbox)


def test_the_names_of_a_million_nodes_take_no_memory() -> None:
    items = align_items(None, NumberIds(300_000))
    tracemalloc.start()
    try:
        names = NodeNames(NumberIds(1_000_000), NumberIds(300_000), pd.DataFrame(), items)
        assert names.labels(np.array([1_000_007])) == ["7 · item 7"]
        assert names.node("user:999999") == 999_999
        assert names.node("item:300000") is None
        assert names.hover(np.array([3, 1_000_001])) == ["User 3\nuser 3", "1\nitem 1"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_users_are_searched_on_the_server(runs: RunStore) -> None:
    app = open_page("3_Recommendations", run="one")
    assert len(app.selectbox("user").options) == 1
    app.text_input("user_query").set_value("4400").run()
    assert not app.exception
    assert "15 of 15 matches, of 45,000 users" in words(app)
    app.selectbox("user").select("44003").run()
    assert not app.exception
    assert app.header[0].value == "User 44003"
    assert app.query_params["user"] == "44003"


def test_a_sample_of_users_is_ranked_and_said(runs: RunStore, dataset: Dataset) -> None:
    ranked = cached.evaluation(runs.open("one"), "test")
    assert ranked.n_users == RANKED
    outside = int(np.setdiff1d(np.arange(N_USERS), ranked.users)[0])
    app = open_page("3_Recommendations", run="one", user=str(outside))
    said = words(app)
    assert f"{RANKED} of 45,000 users with held-out items" in said
    index = cached.layers(runs.open("one"))
    every = evaluate(index.user_emb, index.item_emb, dataset.train_matrix, dataset.test, [20])
    own = float(every.values("recall@20")[outside])
    assert app.metric[0].value == f"{own:.4f}"
    alone = cached.evaluation_of(runs.open("one"), "test", outside)
    place = standing(ranked, "recall@20", outside, alone)
    assert f"Of a sample of {RANKED + 1} of 45,000 users" in said
    assert f"{place.n_below:,} do worse" in said
    assert abs(ranked.metrics["recall@20"] - every.metrics["recall@20"]) < 0.02


def test_tables_of_all_users_wait_for_their_buttons(folder, runs, dataset, monkeypatch) -> None:
    forbid(
        monkeypatch,
        "app.data.items.user_table",
        "app.data.items.item_table",
        "app.explain.tables.per_user_table",
        "app.explain.tables.all_lists",
        "app.embeddings.export.embedding_table",
    )
    for page, options in (
        ("5_Data", {"dataset": str(folder)}),
        ("8_Explain", {"run": "one", "part": "Tables"}),
        ("1_Embeddings", {"run": "one"}),
    ):
        assert not open_page(page, **options).exception
    monkeypatch.undo()
    assert user_table(dataset)["user_id"].tolist()[-1] == "44999"
    assert len(item_table(dataset)) == N_ITEMS


def test_the_export_is_of_the_map_where_all_would_be_too_large(runs, monkeypatch) -> None:
    assert f"{2 * (N_USERS + N_ITEMS):,} rows (all 50,000 nodes" in words(
        open_page("1_Embeddings", run="one")
    )
    monkeypatch.setattr(embeddings_export, "MOST_VALUES", 1000)
    said = words(open_page("1_Embeddings", run="one"))
    assert "4,000 rows (the 2,000 of 50,000 nodes on the map × 2 layers)" in said


def test_the_recall_of_a_sample_has_an_interval(runs: RunStore, monkeypatch) -> None:
    monkeypatch.setattr("app.cached.measures.RECALL_SCORES", RANKED * N_ITEMS)
    run = runs.open("one")
    table = recall_rows(ChosenRun(run, run.record, "id", "one"), ["layer"])
    assert set(table["n"]) == {RANKED}
    assert not table["exact"].any()
    assert table["ci"].between(0, 0.05).all()
