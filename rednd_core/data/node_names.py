"""What a graph node is called: between node numbers and the names and ids that people know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from rednd_core.data.ids import IdArray, id_column, id_lookup
from rednd_core.data.schema import Dataset
from rednd_core.data.search import TextIndex
from rednd_core.data.tables import shorten

LONGEST = 60  # characters of a title in lists and hover texts
DETAILED_HOVER = 5_000  # points; beyond, hover texts say type and id only, to keep figures small

Nodes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NodeTexts:
    """A text of every node, (N,), users first; spelled where it is asked for."""

    users: Callable[[NDArray[np.int64]], NDArray[np.object_]]
    items: Callable[[NDArray[np.int64]], NDArray[np.object_]]
    n_users: int

    @overload
    def __getitem__(self, nodes: int | np.integer[Any]) -> str: ...
    @overload
    def __getitem__(self, nodes: Nodes) -> NDArray[np.object_]: ...
    def __getitem__(self, nodes: Any) -> str | NDArray[np.object_]:
        asked = np.atleast_1d(np.asarray(nodes))
        texts = np.empty(len(asked), dtype=object)
        of_users = asked < self.n_users
        texts[of_users] = self.users(asked[of_users])
        texts[~of_users] = self.items(asked[~of_users] - self.n_users)
        return texts if np.ndim(nodes) else str(texts[0])


@dataclass(frozen=True, eq=False)
class NodeNames:
    """Names of all nodes of a data set, users first; nothing is held that the data set does not hold.

    Attributes:
        user_ids, item_ids: original ids. users, items: the tables, for ``name`` and ``title``.
    """

    user_ids: IdArray
    item_ids: IdArray
    users: pd.DataFrame
    items: pd.DataFrame

    @classmethod
    def of(cls, dataset: Dataset, users: pd.DataFrame) -> NodeNames:
        return cls(dataset.user_ids, dataset.item_ids, users, dataset.items)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    def __len__(self) -> int:
        return len(self.user_ids) + len(self.item_ids)

    @cached_property
    def ids(self) -> NodeTexts:
        """Original ids by node."""
        return NodeTexts(
            lambda rows: self.user_ids[rows], lambda rows: self.item_ids[rows], self.n_users
        )

    @cached_property
    def titles(self) -> NodeTexts:
        """Item titles by node; user names where the users table has them."""
        return NodeTexts(
            self._user_titles,
            lambda rows: self.items["title"].iloc[rows].to_numpy(dtype=object),
            self.n_users,
        )

    def _user_titles(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        titles = "User " + self.user_ids[rows]
        if "name" in self.users:
            named = self.users["name"].iloc[rows].to_numpy(dtype=object)
            titles = np.where(named != "", named, titles)
        return np.asarray(titles, dtype=object)

    def is_user(self, node: int) -> bool:
        return node < self.n_users

    def kind(self, node: int) -> str:
        return "user" if self.is_user(node) else "item"

    def keys(self, nodes: Nodes) -> list[str]:
        """``"user:17"`` or ``"item:SH-0412"``, for addresses and session state."""
        return [f"{kind}:{of}" for kind, of in zip(self.kinds(nodes), self.ids[nodes], strict=True)]

    def node(self, key: str) -> int | None:
        """The node of one of :meth:`keys`; None where this data set has no such node."""
        kind, _, of = key.partition(":")
        if kind == "user":
            return self.user(of)
        item = self._item(of) if kind == "item" else None
        return None if item is None else self.n_users + item

    def labels(self, nodes: Nodes) -> list[str]:
        """Lines that are unique among all nodes: title, type and id."""
        parts = zip(self.titles[nodes], self.kinds(nodes), self.ids[nodes], strict=True)
        return [f"{shorten(title, LONGEST)} · {kind} {of}" for title, kind, of in parts]

    def kinds(self, nodes: Nodes) -> NDArray[np.str_]:
        return np.where(nodes < self.n_users, "user", "item")

    def hover(self, nodes: Nodes) -> list[str]:
        """Texts of points: title, type and id; of many points only the latter two."""
        said = [f"{kind} {of}" for kind, of in zip(self.kinds(nodes), self.ids[nodes], strict=True)]
        if len(nodes) > DETAILED_HOVER:
            return said
        titles = (shorten(title, LONGEST) for title in self.titles[nodes])
        return [f"{title}\n{line}" for title, line in zip(titles, said, strict=True)]

    def search(self, text: str) -> Nodes:
        """Nodes whose title or id contains every word of ``text``, exact ids first."""
        return self._index.search(text)

    def search_users(self, text: str) -> Nodes:
        """The users among :meth:`search`."""
        found = self.search(text)
        return found[found < self.n_users]

    @cached_property
    def user(self) -> Callable[[str], int | None]:
        """From an original id to the user, None where there is no such user."""
        return id_lookup(self.user_ids)

    @cached_property
    def _item(self) -> Callable[[str], int | None]:
        return id_lookup(self.item_ids)

    @cached_property
    def _index(self) -> TextIndex:
        user_ids, item_ids = id_column(self.user_ids), id_column(self.item_ids)
        titles = "User " + user_ids
        if "name" in self.users:
            named = self.users["name"].reset_index(drop=True).astype(str)
            titles = named.where(named != "", titles)
        return TextIndex.of(
            _chunked(pd.concat([user_ids, item_ids])),
            _chunked(pd.concat([titles, self.items["title"].astype(str)])),
        )


def _chunked(texts: pd.Series) -> pa.ChunkedArray:
    # Not of pandas's own making: before 3 it has no Arrow behind its strings.
    arrow = pa.array(texts.astype("str"), type=pa.large_string())
    return arrow if isinstance(arrow, pa.ChunkedArray) else pa.chunked_array([arrow])
