"""Model inputs in any precision, and the independent RedNⁿD."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rednd_core.data.sampling import BPRBatch
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.registry import create_model


@pytest.fixture(scope="session")
def reference():
    """The module ``reference_rednnd`` beside this file."""
    path = Path(__file__).with_name("reference_rednnd.py")
    spec = importlib.util.spec_from_file_location("reference_rednnd", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def build():
    """``build(dataset, name, **settings)``: a seeded model in double precision."""

    def make(dataset, name: str, engine: str = "csr", **settings) -> Recommender:
        inputs = build_inputs(dataset, engine=engine)
        features = {m: rows.double() for m, rows in inputs.features.items()}
        torch.manual_seed(3)
        return create_model(name, settings, replace(inputs, features=features)).double()

    return make


@pytest.fixture(params=["csr", "dgl"])
def engine(request) -> str:
    if request.param == "dgl":
        pytest.importorskip("dgl")
    return request.param


@pytest.fixture
def batch() -> BPRBatch:
    """Users and items that repeat, for data sets of at least 6 users and 7 items."""
    columns = np.array([[0, 0, 3, 5, 3, 1], [2, 6, 2, 0, 0, 2], [5, 5, 1, 3, 6, 4]])
    return BPRBatch(*(torch.from_numpy(column) for column in columns))


@pytest.fixture
def small(make_dataset):
    """6 users, 7 items with three modalities; user 4 and item 6 have no train pair."""
    train = [(0, 0), (0, 2), (1, 2), (1, 5), (2, 1), (3, 3), (3, 4), (3, 0), (5, 5), (5, 1)]
    rng = np.random.default_rng(8)
    features = {
        name: rng.normal(size=(7, dim)).astype(np.float32)
        for name, dim in (("image", 5), ("sound", 2), ("text", 3))
    }
    return make_dataset(6, 7, train, features=features)
