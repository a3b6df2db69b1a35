"""Which matrix is what: the vectors of users, those of items, and of which layer.

Names decide: ``users``, ``item_emb`` and ``user_2`` say it; so do the names that the usual programs give to
the tables of a checkpoint. Where names leave a doubt nothing is guessed: the sentence lists what there is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rednd_core.data.schema import FloatArray
from rednd_core.data.tables import listing
from rednd_core.errors import CheckpointError
from rednd_core.foreign.tables import FoundTable

WORDS = {
    "user": {"user", "users", "usr", "uid", "u", "customer", "customers"},
    "item": {"item", "items", "iid", "i", "product", "products", "movie", "movies"},
}
TABLE_NAMES = {
    "user": (
        "user_embedding.weight",  # RecBole, MMRec
        "embedding_user.weight",  # LightGCN-PyTorch
        "embedding_dict.user_emb",  # SELFRec
        "user_embedding",
        "user_embeddings.weight",
        "user_embeddings",
        "user_emb.weight",
        "user_emb",
        "embed_user.weight",
        "u_embedding",
        "user_factors.weight",
        "user_id_embedding.weight",
        "restore_user_e",  # what RecBole's graph models keep after propagation
    ),
    "item": (
        "item_embedding.weight",
        "item_id_embedding.weight",  # MMRec
        "embedding_item.weight",
        "embedding_dict.item_emb",
        "item_embedding",
        "item_embeddings.weight",
        "item_embeddings",
        "item_emb.weight",
        "item_emb",
        "embed_item.weight",
        "i_embedding",
        "item_factors.weight",
        "restore_item_e",
    ),
    "all": (
        "embedding.weight",  # PyG's LightGCN
        "id_embedding",
        "id_embedding.weight",
        "node_embedding.weight",
        "node_emb.weight",
        "emb.weight",
    ),
}
"""Names of the tables of ids in checkpoints, the commoner one first. Other words may stand before a name."""
_WORD = re.compile(r"[a-z]+|[0-9]+")
NAME_THEM = "name the tables with --user-key and --item-key"


@dataclass(frozen=True, eq=False)
class Side:
    """The vectors of users or of items: (rows, d), and the ids of the rows where they are known."""

    name: str
    values: FloatArray
    ids: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class Vectors:
    """What was found.

    Attributes:
        layers: x^0 .. x^L as pairs of users and items; empty where there is only what scores.
        scoring: the pair that scores; None where only layers are there.
        whole: tables of users and items together, users first, that have to be cut: layers, or what scores
            where there is one without a number.
    """

    layers: tuple[tuple[Side, Side], ...] = ()
    scoring: tuple[Side, Side] | None = None
    whole: tuple[Side, ...] = ()


def of_checkpoint(
    tables: Sequence[FoundTable], user_key: str | None = None, item_key: str | None = None
) -> Vectors:
    """The table of users and that of items in a checkpoint, or one table of both.

    Raises:
        CheckpointError: none, or several that could be it.
    """
    if user_key is not None and item_key is not None:
        return Vectors(scoring=(_named(tables, user_key), _named(tables, item_key)))
    users, items = _known(tables, "user"), _known(tables, "item")
    if users is not None and items is not None:
        return Vectors(scoring=(users, items))
    whole = _known(tables, "all")
    if whole is not None and users is None and items is None:
        return Vectors(whole=(whole,))
    raise CheckpointError(
        expected="one table of users and one of items under a usual name, e.g. "
        "user_embedding.weight and item_embedding.weight",
        found=listing((f"{t.name} {t.values.shape}" for t in tables), most=12),
        remedy=NAME_THEM,
    )


def of_arrays(tables: Sequence[FoundTable]) -> Vectors:
    """What scores, and the layers, of arrays that their names tell apart.

    ``users`` and ``items`` score; ``users_0``, ``items_0``, ``users_1`` and so on are the layers; names
    without a side (``layer_0`` or ``id_0``) are of all nodes, users first.

    Raises:
        CheckpointError: a name that says too little, a side without the other, or a layer that is missing.
    """
    placed: dict[tuple[str, int | None], Side] = {}
    for table in tables:
        place = _side_and_layer(table.name)
        if place in placed:
            raise CheckpointError(
                expected="each matrix once",
                found=f"{placed[place].name} and {table.name}, which mean the same",
                remedy="rename them: users and items, or users_0, items_0, users_1 and so on",
            )
        placed[place] = Side(table.name, table.values, table.ids)
    numbers = sorted({layer for _, layer in placed if layer is not None})
    if numbers != list(range(len(numbers))):
        raise CheckpointError(
            expected="layers that are numbered 0, 1, 2 and so on",
            found=f"the numbers {listing(map(str, numbers))}",
            remedy="add the missing ones, or leave the numbers out of the names of what scores",
        )
    has_pairs = any(("user", k) in placed for k in numbers)
    pairs = tuple(_pair(placed, k) for k in numbers) if has_pairs else ()
    has_scoring = any((kind, None) in placed for kind in WORDS)
    whole = tuple(placed["all", k] for k in numbers) if numbers and not has_pairs else ()
    if not numbers and ("all", None) in placed:
        whole = (placed["all", None],)
    return Vectors(pairs, _pair(placed, None) if has_scoring else None, whole)


def _pair(placed: dict[tuple[str, int | None], Side], layer: int | None) -> tuple[Side, Side]:
    for kind in WORDS:
        if (kind, layer) not in placed:
            of = "" if layer is None else f" of layer {layer}"
            raise CheckpointError(
                expected=f"a matrix of {kind}s{of}",
                found=listing(side.name for side in placed.values()),
                remedy=f"add it, called {kind}s{'' if layer is None else f'_{layer}'}",
            )
    return placed["user", layer], placed["item", layer]


def _side_and_layer(name: str) -> tuple[str, int | None]:
    """``"users_2"`` -> ``("user", 2)``; ``"layer_0"`` -> ``("all", 0)``."""
    words = _WORD.findall(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
    sides = [kind for kind, known in WORDS.items() if known & set(words)]
    numbers = [int(word) for word in words if word.isdecimal()]
    if len(sides) > 1:
        raise CheckpointError(
            expected="a name that says whether a matrix is of users or of items",
            found=name,
            remedy="call it users or items",
        )
    return sides[0] if sides else "all", numbers[-1] if numbers else None


def _named(tables: Sequence[FoundTable], key: str) -> Side:
    found = next((table for table in tables if table.name == key), None)
    if found is None:
        raise CheckpointError(
            expected=f"a matrix {key!r} with a row a user or item",
            found=listing((f"{t.name} {t.values.shape}" for t in tables), most=12),
            remedy="choose one of these names",
        )
    return Side(found.name, found.values, found.ids)


def _known(tables: Sequence[FoundTable], kind: str) -> Side | None:
    """The table of a kind under the commonest name; None where none has a usual name.

    Raises:
        CheckpointError: two tables with that name, in different parts of the checkpoint.
    """
    for usual in TABLE_NAMES[kind]:
        found = [t for t in tables if t.name == usual or t.name.endswith(f".{usual}")]
        different = [t for t in found if not _same(t, found[0])]
        if different:
            raise CheckpointError(
                expected=f"one table {usual}",
                found=listing(t.name for t in found),
                remedy=NAME_THEM,
            )
        if found:
            return Side(found[0].name, found[0].values, found[0].ids)
    return None


def _same(a: FoundTable, b: FoundTable) -> bool:
    return a is b or (a.values.shape == b.values.shape and bool(np.array_equal(a.values, b.values)))
