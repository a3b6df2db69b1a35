"""Train, validation and test. Every rule is repeatable, and pairs leave in (user, item) order."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from rednd_core.config import SplitRule
from rednd_core.data.pairs import Ids, pair_order
from rednd_core.data.schema import IntArray, Interactions, InteractionTable, Notice, Split, Times
from rednd_core.data.tables import counted
from rednd_core.errors import ConfigError, DataError, unknown_name

TRAIN, VALID, TEST = 0, 1, 2
_PART_NAMES = ("train", "validation", "test")
VALIDATION_SHARE = 0.1
"""Of train, where a data set comes without a validation part, as the authors of LightGCN's sets do."""
Ratios = tuple[float, float, float]


def split(
    table: InteractionTable,
    how: SplitRule = "auto",
    seed: int = 0,
    ratios: Ratios = (0.8, 0.1, 0.1),
) -> Split:
    """Split a table by its labels, at random by user, or by time.

    Args:
        how: ``given`` uses the labels; where there are test pairs and no validation pairs it takes one in
            ten of every user's train pairs for validation, and at least one of two. ``random`` draws
            ``ratios`` of every user's pairs: of n pairs floor(ratio * n) and at least one are held out,
            test before validation, as long as one is left to train. ``leave_last_out`` tests the last pair
            of a user, validates the one before, and keeps users of fewer than three pairs in train.
            ``global_time`` cuts all pairs at two points in time, so that ``ratios`` of them lie before,
            between and after; pairs of one time stay together. ``auto`` is ``given`` where there are
            labels, else ``random``.
        seed: of what is drawn.
        ratios: of ``random`` and ``global_time``: train, validation, test; they sum to 1.

    Raises:
        DataError: no labels, no timestamps, or a part that came out empty.
        ConfigError: an unknown rule or impossible ratios.
    """
    if how not in get_args(SplitRule):
        raise unknown_name("split", how, get_args(SplitRule))
    if how == "auto":
        how = "random" if table.labels is None else "given"
    rows = pair_order(table.users, table.items)
    users = table.users if rows is None else table.users[rows]
    items = table.items if rows is None else table.items[rows]
    if how == "random":
        return _assemble(users, items, _random(users, seed, ratios))
    if how == "global_time":
        require_ratios(ratios)
        parts = _global_time(table, ratios)
    else:
        parts = _given(table) if how == "given" else _leave_last_out(table)
    if rows is not None:
        parts = parts[rows]
    notices: tuple[Notice, ...] = ()
    if how == "given" and (parts == TEST).any() and not (parts == VALID).any():
        parts, notices = _with_validation(users, parts, seed)
    return _assemble(users, items, parts, notices)


def require_ratios(ratios: Sequence[object]) -> None:
    """Refuse what cannot be the shares of train, validation and test."""
    numbers = [ratio for ratio in ratios if isinstance(ratio, int | float) and 0 <= ratio <= 1]
    if len(ratios) != 3 or len(numbers) != 3 or not isclose(sum(numbers), 1.0, abs_tol=1e-6):
        raise ConfigError(
            expected="three ratios from 0 to 1 that sum to 1 (train, validation, test)",
            found=", ".join(map(str, ratios)),
            remedy="use e.g. 0.8, 0.1, 0.1",
        )


def _given(table: InteractionTable) -> NDArray[np.int8]:
    if table.labels is None:
        raise DataError(
            expected="a label column (0 train, 1 validation, 2 test) for the split 'given'",
            found="no label column",
            remedy="add the column 'x_label' or choose the split 'random' or 'leave_last_out'",
        )
    return table.labels


def _random(users: Ids, seed: int, ratios: Ratios) -> NDArray[np.int8]:
    """Parts of pairs sorted by user, (n,)."""
    require_ratios(ratios)
    n = np.bincount(users)
    n_test = np.minimum(_held_out(n, ratios[TEST]), np.maximum(n - 1, 0))
    n_valid = np.minimum(_held_out(n, ratios[VALID]), np.maximum(n - n_test - 1, 0))
    draw = np.random.default_rng(seed).random(len(users))
    rank = _rank_within_user(users, draw)
    parts = np.full(len(users), TRAIN, dtype=np.int8)
    parts[rank < (n_test + n_valid)[users]] = VALID
    parts[rank < n_test[users]] = TEST
    return parts


def _held_out(n: IntArray, ratio: float) -> IntArray:
    """floor(ratio * n), at least 1 where the ratio is positive."""
    share: IntArray = np.floor(ratio * n + 1e-9).astype(np.int64)  # 0.29 * 100 is 28.999...
    return share if ratio == 0 else np.maximum(share, 1)


def _with_validation(
    users: Ids, parts: NDArray[np.int8], seed: int
) -> tuple[NDArray[np.int8], tuple[Notice, ...]]:
    """The labelled parts with a validation part drawn from train, as there is none."""
    train = np.flatnonzero(parts == TRAIN)
    shares = (1 - VALIDATION_SHARE, VALIDATION_SHARE, 0.0)
    drawn = train[_random(users[train], seed, shares) == VALID]
    parts = parts.copy()
    parts[drawn] = VALID
    message = (
        f"No validation part: took {counted(len(drawn), 'pair')} of train for it, one in ten of every "
        "user's and at least one of two."
    )
    return parts, (Notice("validation_from_train", len(drawn), message),)


def _times(table: InteractionTable, how: SplitRule) -> Times:
    if table.timestamps is None:
        raise DataError(
            expected=f"a timestamp column for the split {how!r}",
            found="no timestamp column",
            remedy="add the column 'timestamp' or choose the split 'random'",
        )
    return table.timestamps


def _global_time(table: InteractionTable, ratios: Ratios) -> NDArray[np.int8]:
    times = _times(table, "global_time")
    ranked = np.sort(times)
    n = len(times)
    ends = [round(n * share) for share in (ratios[TRAIN], ratios[TRAIN] + ratios[VALID])]
    parts = np.full(n, TRAIN, dtype=np.int8)
    for part, end in zip((VALID, TEST), ends, strict=True):
        if end < n:
            parts[times >= ranked[end]] = part
    return parts


def _leave_last_out(table: InteractionTable) -> NDArray[np.int8]:
    times = _times(table, "leave_last_out")
    n = np.bincount(table.users)[table.users]
    from_last = n - 1 - _rank_within_user(table.users, times)
    parts = np.full(len(n), TRAIN, dtype=np.int8)
    parts[(from_last == 0) & (n >= 3)] = TEST
    parts[(from_last == 1) & (n >= 3)] = VALID
    return parts


def _rank_within_user(users: Ids, values: Times) -> IntArray:
    """Rank of each pair among its user's by value, from 0; equal values keep their order, (n,)."""
    order = np.lexsort((values, users))
    starts = np.cumsum(np.bincount(users)) - np.bincount(users)
    rank = np.empty(len(users), dtype=np.int64)
    rank[order] = np.arange(len(users)) - starts[users[order]]
    return rank


def _assemble(
    users: Ids, items: Ids, parts: NDArray[np.int8], found: tuple[Notice, ...] = ()
) -> Split:
    """Cut into three; users that training never sees cannot be evaluated and are dropped there."""
    trained = np.zeros(int(users.max()) + 1, dtype=bool)
    trained[users[parts == TRAIN]] = True
    unseen = ~trained[users]  # never a train pair
    notices = list(found)
    if n_unseen := len(np.unique(users[unseen])):
        message = (
            f"Dropped {counted(n_unseen, 'user')} without a train interaction from evaluation, "
            f"with {counted(int(np.count_nonzero(unseen)), 'pair')}."
        )
        notices.append(Notice("users_without_train", n_unseen, message))
    kept = [(parts == part) & ~unseen for part in (TRAIN, VALID, TEST)]
    for part in (TRAIN, VALID):
        if not kept[part].any():
            raise DataError(
                expected=f"{_PART_NAMES[part]} interactions",
                found=f"none among {len(users):,} (of users that have a train interaction)",
                remedy="check the labels or choose another split",
            )
    if not kept[TEST].any():
        notices.append(
            Notice("no_test", 0, "No test interactions: runs will have no test results.")
        )
    train, valid, test = (
        Interactions(users[rows].astype(np.int64), items[rows].astype(np.int64)) for rows in kept
    )
    return Split(train=train, valid=valid, test=test, notices=tuple(notices))
