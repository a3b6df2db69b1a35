"""What a graph node is called: between node numbers and the names and ids that people know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import Dataset
from rednd_core.data.tables import shorten

LONGEST = 60  # characters of a title in lists and hover texts
DETAILED_HOVER = 5_000  # points; beyond, hover texts say type and id only, to keep figures small


@dataclass(frozen=True, eq=False)
class NodeNames:
    """Names of all nodes of a data set, users first.

    Attributes:
        ids: (N,) original ids. titles: (N,) item titles; user names where the users table has them.
    """

    n_users: int
    ids: NDArray[np.object_]
    titles: NDArray[np.object_]

    @classmethod
    def of(cls, dataset: Dataset, users: pd.DataFrame) -> NodeNames:
        named = users["name"] if "name" in users else pd.Series("", index=users.index)
        fallback = "User " + users["user_id"].astype(str)
        ids = np.concatenate([dataset.user_ids, dataset.item_ids]).astype(str).astype(object)
        titles = pd.concat([named.where(named != "", fallback), dataset.items["title"]])
        return cls(dataset.n_users, ids, titles.astype(str).to_numpy(dtype=object))

    def __len__(self) -> int:
        return len(self.ids)

    def is_user(self, node: int) -> bool:
        return node < self.n_users

    def kind(self, node: int) -> str:
        return "user" if self.is_user(node) else "item"

    def key(self, node: int) -> str:
        """``"user:17"`` or ``"item:SH-0412"``, for addresses and session state."""
        return f"{self.kind(node)}:{self.ids[node]}"

    def node(self, key: str) -> int | None:
        """The node of a key; None where this data set has no such node."""
        return self._nodes.get(key)

    def label(self, node: int) -> str:
        """One line that is unique among all nodes: title, type and id."""
        return f"{shorten(self.titles[node], LONGEST)} · {self.kind(node)} {self.ids[node]}"

    def kinds(self, nodes: NDArray[np.int64]) -> NDArray[np.str_]:
        return np.where(nodes < self.n_users, "user", "item")

    def hover(self, nodes: NDArray[np.int64]) -> list[str]:
        """Texts of points: title, type and id; of many points only the latter two."""
        if len(nodes) > DETAILED_HOVER:
            return [f"{self.kind(node)} {self.ids[node]}" for node in nodes]
        return [
            f"{shorten(self.titles[node], LONGEST)}<br>{self.kind(node)} {self.ids[node]}"
            for node in nodes
        ]

    def search(self, text: str) -> NDArray[np.int64]:
        """Nodes whose title or id contains every word of ``text``, exact ids first."""
        words = text.casefold().split()
        found = np.ones(len(self), dtype=bool)
        for word in words:
            found &= np.array([word in line for line in self._lines], dtype=bool)
        nodes = np.flatnonzero(found)
        exact = np.array([str(self.ids[node]).casefold() == text.casefold() for node in nodes])
        return np.concatenate([nodes[exact], nodes[~exact]]) if len(nodes) else nodes

    @cached_property
    def _nodes(self) -> dict[str, int]:
        return {self.key(node): node for node in range(len(self))}

    @cached_property
    def _lines(self) -> list[str]:
        return [f"{t}\n{i}".casefold() for t, i in zip(self.titles, self.ids, strict=True)]
