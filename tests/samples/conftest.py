from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rednd_core.samples import ShopSummary, make_shop
from rednd_core.samples.catalogue import Catalogue, make_catalogue
from rednd_core.samples.history import write_history
from rednd_core.samples.tastes import Tastes, draw_baskets, plant_tastes


@dataclass(frozen=True)
class World:
    catalogue: Catalogue
    tastes: Tastes
    baskets: list[np.ndarray]
    history: object


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> ShopSummary:
    """A shop of the smallest kind that is written to disk once for the folder's tests."""
    return make_shop(tmp_path_factory.mktemp("made") / "shop", seed=3, n_users=60, n_items=150)


@pytest.fixture(scope="session")
def shop_path(small_shop: ShopSummary) -> Path:
    return small_shop.path


@pytest.fixture(scope="session")
def world() -> World:
    """The full-size planted model, without its pictures."""
    rng = np.random.default_rng(11)
    catalogue = make_catalogue(rng, 600)
    tastes = plant_tastes(rng, catalogue, 1000)
    baskets = draw_baskets(rng, catalogue, tastes)
    return World(catalogue, tastes, baskets, write_history(rng, catalogue, tastes, baskets))
