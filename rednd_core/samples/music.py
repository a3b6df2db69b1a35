"""A second sample: listeners of invented artists, whose texts mislead where the shop's pictures do.

Other skews than the shop's: popularity falls more steeply, listeners are active for one to six months, and
newcomers are one in five. Each part draws from its own child of the seed, as in the shop.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import FloatArray, IntArray
from rednd_core.errors import ConfigError
from rednd_core.samples.artists import FIRST, GENRES, GROUPS, SECOND
from rednd_core.samples.files import files_digest, npy, npz, tsv
from rednd_core.samples.writer import check_target, publish

FORMAT = "rednd-music 1"
TRUE, MIXED_UP, EMPTY = 0, 1, 2
TEXT_KINDS = ("true", "mixed_up", "empty")
MISLEADING_SHARE = 0.35
DIM = 32
DECIMALS = 4
POPULARITY_EXPONENT, POPULARITY_OFFSET = 1.0, 4.0
SAME_GENRE, STRAY = 0.15, 0.01  # weight of another scene of a liked genre, and of anything else
NEWCOMERS = 0.2
NEWCOMER_PLAYS = (3, 5)
LEAST_PLAYS, MOST_PLAYS, ACTIVITY_EXPONENT = 6, 80, 1.5
OPENING, DAY = 1_704_067_200, 86_400  # 2024-01-01 00:00 UTC, seconds
SIZES = {"users": (50, 10_000), "items": (len(GROUPS), len(FIRST) * len(SECOND))}


@dataclass(frozen=True)
class MusicSummary:
    """What :func:`make_music` wrote; ``digest`` is a SHA-256 over all file names and contents."""

    path: Path
    n_users: int
    n_items: int
    n_interactions: int
    n_bytes: int
    digest: str


def make_music(
    out_dir: str | Path,
    *,
    seed: int = 11,
    n_users: int = 480,
    n_items: int = 300,
    overwrite: bool = False,
) -> MusicSummary:
    """Write the sample to ``out_dir``, whole or not at all; the same arguments give the same bytes.

    Raises:
        ConfigError: a seed or size out of range.
        DataError: ``out_dir`` exists and ``overwrite`` is not set, or it is not a sample.
    """
    path = Path(out_dir).expanduser().resolve()
    check_target(path, overwrite=overwrite)
    files, history = music_files(seed=seed, n_users=n_users, n_items=n_items)
    publish(files, path, overwrite=overwrite)
    n_bytes = sum(map(len, files.values()))
    return MusicSummary(path, n_users, n_items, len(history), n_bytes, files_digest(files))


def music_files(*, seed: int, n_users: int, n_items: int) -> tuple[dict[str, bytes], pd.DataFrame]:
    """All files, relative path -> content, and the interactions."""
    if seed < 0:
        raise ConfigError(expected="a seed of 0 or more", found=str(seed), remedy="choose another")
    for name, n in (("users", n_users), ("items", n_items)):
        least, most = SIZES[name]
        if not least <= n <= most:
            raise ConfigError(
                expected=f"between {least} and {most} {name}",
                found=str(n),
                remedy="choose a number in that range",
            )
    for_items, for_tastes, for_plays, for_dates, for_text, for_audio = np.random.default_rng(
        seed
    ).spawn(6)
    group = for_items.permutation(np.arange(n_items) % len(GROUPS))
    names = _artist_names(for_items, n_items)
    popularity = (1 + for_items.permutation(n_items) / POPULARITY_OFFSET) ** -POPULARITY_EXPONENT
    liked = _liked(for_tastes, n_users)
    history = _history(for_dates, _plays(for_plays, liked, group, popularity))
    kind, told = _texts(for_text, group)
    genre = [GROUPS[g][0] for g in group]
    truth = {
        "format": FORMAT,
        "seed": seed,
        "n_users": n_users,
        "n_items": n_items,
        "n_interactions": len(history),
        "misleading": "text",
        "text_kinds": list(TEXT_KINDS),
        "groups": [{"name": f"{g}/{s}", "category": g, "style": s} for g, s in GROUPS],
    }
    items = pd.DataFrame(
        {
            "itemID": np.arange(n_items),
            "title": names,
            "category": genre,
            "style": [GROUPS[g][1] for g in group],
        }
    )
    planted: dict[str, NDArray[Any]] = {
        "user_groups": liked.astype(np.int16),
        "item_group": group.astype(np.int16),
        "item_popularity": popularity.astype(np.float32),
        "text_kind": kind.astype(np.int16),
        "text_group": told.astype(np.int16),
    }
    files = {
        "README.md": _readme(truth, history, kind).encode(),
        "music.inter": tsv(history),
        "items.tsv": tsv(items),
        "audio_feat.npy": npy(_features(for_audio, group, 1.1)),
        "text_feat.npy": npy(_features(for_text, told, 0.8, kind == EMPTY)),
        "truth.json": (json.dumps(truth, indent=1) + "\n").encode(),
        "truth.npz": npz(planted),
    }
    return files, history


def _artist_names(rng: np.random.Generator, count: int) -> list[str]:
    codes = rng.choice(len(FIRST) * len(SECOND), count, replace=False)
    return [f"{FIRST[c // len(SECOND)]} {SECOND[c % len(SECOND)]}" for c in codes]


def _liked(rng: np.random.Generator, n_users: int) -> IntArray:
    """One or two liked groups, (n_users, 2); -1 for none."""
    first = rng.integers(0, len(GROUPS), n_users)
    second = rng.integers(0, len(GROUPS), n_users)
    has_second = (rng.random(n_users) < 0.5) & (second != first)
    return np.stack([first, np.where(has_second, second, -1)], axis=1)


def _plays(
    rng: np.random.Generator, liked: IntArray, group: IntArray, popularity: NDArray[np.float64]
) -> list[IntArray]:
    """Every listener's distinct artists in the order of the first play."""
    genre = np.array([list(GENRES).index(g) for g, _ in GROUPS])
    affinity = np.where(genre[:, None] == genre[None, :], SAME_GENRE, 0.0)
    np.fill_diagonal(affinity, 1.0)
    n_users = len(liked)
    weights = np.full((n_users, len(group)), STRAY)
    for slot in range(liked.shape[1]):
        has = liked[:, slot] >= 0
        weights[has] += affinity[liked[has, slot]][:, group]
    # Gumbel keys in falling order are successive draws without replacement.
    keys = np.log(weights * popularity) + rng.gumbel(size=weights.shape)
    order = np.argsort(-keys, axis=1, kind="stable")
    active = LEAST_PLAYS * rng.random(n_users) ** (-1 / ACTIVITY_EXPONENT)
    count = np.minimum(active, MOST_PLAYS).astype(np.int64)
    few = rng.integers(*NEWCOMER_PLAYS, n_users)
    count = np.where(rng.random(n_users) < NEWCOMERS, few, count)
    return [order[user, : count[user]] for user in range(n_users)]


def _history(rng: np.random.Generator, plays: list[IntArray]) -> pd.DataFrame:
    """Columns userID, itemID, x_label, timestamp: the last tenth is test, the tenth before it validation."""
    rows = []
    for user, artists in enumerate(plays):
        n, held = len(artists), max(1, round(0.1 * len(artists)))
        labels = np.zeros(n, dtype=np.int64)
        labels[n - 2 * held :], labels[n - held :] = 1, 2
        start = OPENING + rng.integers(0, 300 * DAY)
        dates = start + np.sort(rng.integers(0, rng.integers(30, 180) * DAY, n)) + np.arange(n)
        rows.append(
            pd.DataFrame({"userID": user, "itemID": artists, "x_label": labels, "timestamp": dates})
        )
    return pd.concat(rows, ignore_index=True).astype(np.int64)


def _texts(rng: np.random.Generator, group: IntArray) -> tuple[IntArray, IntArray]:
    """Kind of each artist's text, and the group that it tells of."""
    genre = np.array([list(GENRES).index(g) for g, _ in GROUPS])
    spoiled = rng.permutation(len(group))[: round(MISLEADING_SHARE * len(group))]
    half = len(spoiled) // 2
    kind = np.full(len(group), TRUE)
    kind[spoiled[:half]], kind[spoiled[half:]] = MIXED_UP, EMPTY
    told = group.copy()
    for item in spoiled[:half]:
        told[item] = rng.choice(np.flatnonzero(genre != genre[group[item]]))
    return kind, told


def _features(
    rng: np.random.Generator,
    group: IntArray,
    noise: float,
    empty: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """(n_items, DIM) unit rows: a direction of the genre, one of the scene, and noise alone where empty."""
    genre = np.array([list(GENRES).index(g) for g, _ in GROUPS])
    of_genre = _unit(rng.standard_normal((len(GENRES), DIM)))
    of_scene = _unit(rng.standard_normal((len(GROUPS), DIM)))
    scattered = rng.standard_normal((len(group), DIM)) / np.sqrt(DIM)
    rows = of_genre[genre[group]] + 0.7 * of_scene[group] + noise * scattered
    if empty is not None:
        rows = np.where(empty[:, None], scattered, rows)
    return np.round(_unit(rows), DECIMALS).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _readme(truth: dict[str, Any], history: pd.DataFrame, kind: IntArray) -> str:
    train, valid, test = np.bincount(history["x_label"], minlength=3)
    n_items = truth["n_items"]
    return f"""# A sample of listeners

{truth["n_users"]:,} listeners, {n_items:,} invented artists, {truth["n_interactions"]:,} interactions. Every
name is made up; likeness to real artists is chance. Made by `rednd data make-sample music`
(`rednd_core.samples.music`), seed {truth["seed"]}; the same seed gives the same bytes. Do not edit the
files by hand.

| file | content |
|---|---|
| `music.inter` | tab-separated userID, itemID, x_label, timestamp (s, UTC) of the first play |
| `audio_feat.npy`, `text_feat.npy` | {n_items} x {DIM} float32, row = itemID |
| `items.tsv` | itemID, title (the artist), category (genre), style (scene) |
| `truth.json`, `truth.npz` | the planted truth (below); read with `allow_pickle=False` |

x_label is 0 train ({train:,}), 1 validation ({valid:,}), 2 test ({test:,}).

## What is planted

- {len(GENRES)} genres with three scenes each. A listener likes one or two scenes.
- Weight of an artist: popularity x (1 in a liked scene, {SAME_GENRE} in another scene of a liked genre,
  {STRAY} anywhere).
- Popularity falls as (1 + rank / {POPULARITY_OFFSET:g})^-{POPULARITY_EXPONENT:g}, more steeply than in the
  shop. One listener in five is a newcomer.
- Audio features: genre + scene + noise. They are always right.
- Text features: genre + scene of what the text tells of + noise. {MISLEADING_SHARE:.0%} mislead:
  {int((kind == MIXED_UP).sum())} are mixed up (they tell of another genre), {int((kind == EMPTY).sum())} are
  empty (their row is noise).

`truth.npz`: user_groups (users x 2, -1 for none), item_group, item_popularity, text_kind, text_group. Group
and kind are indices into the lists of `truth.json`.

## Licence

CC0 1.0: no rights reserved. Made by this project from its own code; nothing was taken from elsewhere.
"""
