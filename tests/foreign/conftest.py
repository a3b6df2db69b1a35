"""A small world with ids in three spellings, and vectors that know which pairs belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rednd_core.config import DataConfig

N_GROUPS, USERS_A_GROUP, ITEMS_A_GROUP, WIDTH = 4, 10, 8, 6


@dataclass(frozen=True)
class World:
    """Rows in an order that is neither that of the ids nor that of the groups.

    Attributes:
        rows: (user id, item id), as the file has them.
        user_vectors, item_vectors: id -> vector; a user likes the items of one group.
    """

    folder: Path
    rows: list[tuple[str, str]]
    user_vectors: dict[str, np.ndarray]
    item_vectors: dict[str, np.ndarray]

    @property
    def config(self) -> DataConfig:
        return DataConfig(path=str(self.folder), split="random", split_seed=1)

    def by_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Users and items in the order of their ids, which are whole numbers."""
        return self._stacked(sorted(self.user_vectors, key=int), sorted(self.item_vectors, key=int))

    def by_appearance(self) -> tuple[np.ndarray, np.ndarray]:
        users = list(dict.fromkeys(user for user, _ in self.rows))
        return self._stacked(users, list(dict.fromkeys(item for _, item in self.rows)))

    def _stacked(self, users: list[str], items: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return (
            np.stack([self.user_vectors[user] for user in users]).astype(np.float32),
            np.stack([self.item_vectors[item] for item in items]).astype(np.float32),
        )


def make_world(folder: Path, first_id: int = 0) -> World:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(N_GROUPS, WIDTH)) * 2
    users = {
        str(first_id + k): centres[k % N_GROUPS] + rng.normal(size=WIDTH) * 0.3
        for k in range(N_GROUPS * USERS_A_GROUP)
    }
    items = {
        str(first_id + k): centres[k % N_GROUPS] + rng.normal(size=WIDTH) * 0.3
        for k in range(N_GROUPS * ITEMS_A_GROUP)
    }
    rows = [
        (user, item)
        for user in users
        for item in items
        if (int(user) - first_id) % N_GROUPS == (int(item) - first_id) % N_GROUPS
    ]
    rng.shuffle(rows)
    rows = [(str(user), str(item)) for user, item in rows]
    folder.mkdir()
    lines = [f"{user},{item}" for user, item in rows]
    (folder / "interactions.csv").write_text("\n".join(["user_id,item_id", *lines]) + "\n")
    return World(folder, rows, users, items)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "world")
