"""What the tests of the Recommendations page look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from app import cached
from app.recommendations.controls import ListView
from app.shared.text import escape_markdown
from rednd_core.config import PROJECT_ROOT
from rednd_core.data.schema import Dataset
from rednd_core.evaluation.evaluate import Evaluation, evaluate
from rednd_core.runs import RunStore

PAGE = PROJECT_ROOT / "pages" / "3_Recommendations.py"
N_USERS, N_ITEMS, SIZE = 40, 60, 8
HOSTILE = "<img src=x onerror=alert(1)> **Pot** :red[hot] $x$"


def embeddings(dataset: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a hint of the test items, so that there are hits and misses; (n, 8) each."""
    rng = np.random.default_rng(seed)
    item_emb = rng.normal(size=(dataset.n_items, SIZE)).astype(np.float32)
    user_emb = rng.normal(size=(dataset.n_users, SIZE)).astype(np.float32)
    np.add.at(user_emb, dataset.test.users, 0.6 * item_emb[dataset.test.items])
    return user_emb, item_emb


def place_in_slice(app: AppTest) -> str:
    return next(c.value for c in app.caption if c.value.startswith("This user is"))


def settled(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.markdown]


def heading(app: AppTest) -> str:
    return str(app.header[0].value)


def user_of(app: AppTest) -> str:
    return str(app.selectbox(key="user").value)


def evaluation(dataset: Dataset, split: str = "test", k: int = 20, seed: int = 0) -> Evaluation:
    held_out = dataset.test if split == "test" else dataset.valid
    return evaluate(*embeddings(dataset, seed), dataset.train_matrix, held_out, [k])


def titles(dataset: Dataset, items: Any) -> list[str]:
    return [escape_markdown(title) for title in dataset.items["title"].iloc[np.asarray(items)]]


def view(runs: RunStore, dataset: Dataset, names: tuple[str, ...]) -> ListView:
    chosen = tuple(runs.open(name) for name in names)
    users = cached.users(chosen[0])
    names = cached.node_names(chosen[0])
    return ListView(chosen, dataset, users, names, "test", 10, "recall@10", 0, np.array([0]))


def button(app: AppTest, label: str) -> Any:
    return next(element for element in app.button if element.label == label)
