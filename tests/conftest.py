"""Small planted data sets, an isolated environment, and reasons to skip."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch loads; processes that tests start inherit it
# Pairs of training processes are forked, which OpenMP threads of a UMAP before them do not survive.
os.environ["NUMBA_NUM_THREADS"] = "1"
os.environ["DGLBACKEND"] = "pytorch"

import importlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rednd_core import confined
from rednd_core.config import PROJECT_ROOT
from rednd_core.data.schema import Dataset, Interactions, Split

REAL_DATA = PROJECT_ROOT.parent / "shared" / "data"
N_USERS, N_ITEMS = 40, 30
MAIN_MODULE = sys.modules["__main__"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not REAL_DATA.is_dir():
        absent = pytest.mark.skip(reason=f"no real data sets in {REAL_DATA}")
        for item in items:
            if item.get_closest_marker("real_data"):
                item.add_marker(absent)
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if on_gpu:
        import torch

        if not torch.cuda.is_available():
            for item in on_gpu:
                item.add_marker(pytest.mark.skip(reason="torch finds no CUDA device"))


@pytest.fixture(autouse=True)
def _own_runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the runs of whoever runs the tests."""
    monkeypatch.setenv("REDND_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("REDND_JOB_SLOTS", raising=False)


@pytest.fixture(autouse=True)
def _main_module() -> None:
    """Streamlit's AppTest leaves the page that it ran as ``__main__``, which every process that is
    spawned later would run first."""
    sys.modules["__main__"] = MAIN_MODULE


@pytest.fixture(autouse=True)
def _confined_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a confined process does is done in this one: a process each would cost seconds a test.

    Tests marked ``confined`` start the process.
    """
    if request.node.get_closest_marker("confined"):
        return

    def here(task: str, *arguments: str, **_: object) -> Any:
        module, _, name = task.partition(":")
        return getattr(importlib.import_module(module), name)(*arguments)

    monkeypatch.setattr(confined, "run", here)


@pytest.fixture
def in_time() -> Callable[[], AbstractContextManager[None]]:
    """``with in_time():`` fails where the block hangs; nothing is measured.

    The alarm interrupts what waits, so that a hang is one failed test and not a suite without an end.
    """

    @contextmanager
    def bounded(seconds: int = 60) -> Iterator[None]:
        def fail(_signal: int, _frame: object) -> None:
            raise AssertionError(f"it did not return within {seconds} seconds")

        if not hasattr(signal, "SIGALRM"):
            yield
            return
        before = signal.signal(signal.SIGALRM, fail)
        signal.alarm(seconds)
        try:
            yield
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)

    return bounded


def pairs(rows: list[tuple[int, int]]) -> Interactions:
    users, items = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return Interactions(np.ascontiguousarray(users), np.ascontiguousarray(items))


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Dataset]:
    """``make_dataset(n_users, n_items, train, valid, test, features)`` with lists of pairs."""

    def make(n_users, n_items, train, valid=((0, 0),), test=(), features=None, name="tiny"):
        item_ids = np.array([f"i{k}" for k in range(n_items)], dtype=object)
        return Dataset(
            name=name,
            path=name,
            n_users=n_users,
            n_items=n_items,
            split=Split(pairs(list(train)), pairs(list(valid)), pairs(list(test))),
            user_ids=np.array([f"u{k}" for k in range(n_users)], dtype=object),
            item_ids=item_ids,
            features=features or {},
            items=pd.DataFrame({"item_id": item_ids, "title": item_ids}),
            digest=name,
        )

    return make


def planted_rows() -> list[tuple[int, int, int]]:
    """(user, item, label): the first 20 users like the first 15 items, the others the rest.

    A user has 7 train, 1 validation and 2 test items, all of the own group.
    """
    rng = np.random.default_rng(5)
    labels = [0] * 7 + [1] + [2] * 2
    rows = []
    for user in range(N_USERS):
        liked = rng.choice(15, size=10, replace=False) + 15 * (user >= 20)
        rows += [(user, int(item), label) for item, label in zip(liked, labels, strict=True)]
    return rows


def planted_features() -> dict[str, np.ndarray]:
    """Two modalities whose rows lie near the centre of the item's group."""
    rng = np.random.default_rng(6)
    groups = np.repeat([0, 1], 15)

    def near_centres(dim: int) -> np.ndarray:
        centres = rng.normal(size=(2, dim))
        return (centres[groups] + 0.3 * rng.normal(size=(N_ITEMS, dim))).astype(np.float32)

    return {"image": near_centres(6), "text": near_centres(8)}


@pytest.fixture(scope="session")
def planted(make_dataset) -> Dataset:
    """40 users and 30 items in two groups that never meet, with image and text features."""
    by_label = [[(u, i) for u, i, kind in planted_rows() if kind == label] for label in range(3)]
    return make_dataset(N_USERS, N_ITEMS, *by_label, planted_features(), name="planted")


@pytest.fixture(scope="session")
def planted_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same data set as a folder of string ids: users ``ann-<k>``, items ``sku-<k>``."""
    folder = tmp_path_factory.mktemp("data") / "planted"
    folder.mkdir()
    rows = [f"ann-{user},sku-{item},{label}" for user, item, label in planted_rows()]
    (folder / "interactions.csv").write_text("\n".join(["userID,itemID,x_label", *rows]) + "\n")
    items = [f"sku-{item},Thing {item}" for item in range(N_ITEMS)]
    (folder / "items.csv").write_text("\n".join(["itemID,title", *items]) + "\n")
    for modality, values in planted_features().items():
        np.save(folder / f"{modality}_feat.npy", values)
    return folder
