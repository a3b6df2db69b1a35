"""The toy models are registered, and assertions of the shared suite show their values."""

import numpy as np
import pytest

pytest.register_assert_rewrite("tests.contracts.suite")


@pytest.fixture(autouse=True)
def _toys_are_registered(monkeypatch) -> None:
    from rednd_core.modeling import registry
    from tests.contracts import toys

    for name, card in toys.CARDS.items():
        monkeypatch.setitem(registry.CARDS, name, card)


@pytest.fixture(scope="session")
def larger(make_dataset):
    """Large enough for torch to share a product or a sum among threads: 1,500 x 32 values."""
    rng = np.random.default_rng(4)
    cells = np.unique(rng.integers([0, 0], [700, 800], size=(2500, 2)), axis=0)
    features = {"text": rng.normal(size=(800, 32)).astype(np.float32)}
    return make_dataset(700, 800, cells.tolist(), [(0, 1)], features=features)
