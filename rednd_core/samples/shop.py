"""The sample shop as a whole: every file of the folder as bytes, a function of seed and sizes alone.

Each part draws from its own child of the seed, so that a change in one part leaves the others as they
were. Picture bytes also depend on Pillow's compressor, random numbers on NumPy's generators; with the
versions of requirements.txt the same seed gives the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.errors import ConfigError
from rednd_core.samples import tastes as taste_model
from rednd_core.samples.card import readme
from rednd_core.samples.catalogue import (
    Catalogue,
    group_name,
    items_table,
    make_catalogue,
    thumbnail_path,
)
from rednd_core.samples.features import (
    NOISY_SHARE,
    PICTURE_KINDS,
    Pictures,
    image_features,
    plant_pictures,
    text_features,
)
from rednd_core.samples.files import files_digest, npy, npz, tsv
from rednd_core.samples.history import TRAIN, write_history
from rednd_core.samples.pictures import draw_thumbnails
from rednd_core.samples.tastes import COHORTS, Tastes, draw_baskets, plant_tastes
from rednd_core.samples.vocabulary import CATEGORIES, FIRST_NAMES, groups
from rednd_core.samples.writer import check_target, publish

FORMAT = "rednd-shop 1"
USER_RANGE = (50, 10_000)
RECOMMENDED = """\
# Settings for a live demonstration: an epoch takes a fraction of a second, and a training goes on for
# minutes, so that there is time to move a weight.

[all]
embedding_size = 32
epochs = 600
patience = 300

[rednnd]
learning_rate = 0.001
"""


@dataclass(frozen=True)
class ShopSummary:
    """What :func:`make_shop` wrote; ``digest`` is a SHA-256 over all file names and contents."""

    path: Path
    seed: int
    n_users: int
    n_items: int
    n_interactions: int
    n_bytes: int
    digest: str


def make_shop(
    out_dir: str | Path,
    *,
    seed: int = 7,
    n_users: int = 1000,
    n_items: int = 600,
    overwrite: bool = False,
) -> ShopSummary:
    """Write the sample shop to ``out_dir``, whole or not at all.

    Raises:
        ConfigError: for a seed or size out of range.
        DataError: if ``out_dir`` exists and ``overwrite`` is not set, or is not a sample shop.
    """
    path = Path(out_dir).expanduser().resolve()
    check_target(path, overwrite=overwrite)
    files, history = shop_files(seed=seed, n_users=n_users, n_items=n_items)
    publish(files, path, overwrite=overwrite)
    return ShopSummary(
        path=path,
        seed=seed,
        n_users=n_users,
        n_items=n_items,
        n_interactions=len(history),
        n_bytes=sum(map(len, files.values())),
        digest=files_digest(files),
    )


def shop_files(*, seed: int, n_users: int, n_items: int) -> tuple[dict[str, bytes], pd.DataFrame]:
    """All files, relative path -> content, and the interactions (see ``history``)."""
    if seed < 0:
        raise ConfigError(expected="a seed of 0 or more", found=str(seed), remedy="choose another")
    if not USER_RANGE[0] <= n_users <= USER_RANGE[1]:
        raise ConfigError(
            expected=f"between {USER_RANGE[0]} and {USER_RANGE[1]} users",
            found=f"n_users={n_users}",
            remedy="choose a number in that range",
        )
    for_items, for_tastes, for_baskets, for_dates, for_features, for_drawing, for_names = (
        np.random.default_rng(seed).spawn(7)
    )
    catalogue = make_catalogue(for_items, n_items)
    tastes = plant_tastes(for_tastes, catalogue, n_users)
    baskets = draw_baskets(for_baskets, catalogue, tastes)
    history = write_history(for_dates, catalogue, tastes, baskets)
    pictures = plant_pictures(for_features, catalogue)
    truth = _truth(seed, catalogue, tastes, pictures, history)
    files = {
        "README.md": readme(truth, history, catalogue, tastes).encode(),
        "shop.inter": tsv(history),
        "items.tsv": tsv(items_table(catalogue)),
        "recommended.toml": RECOMMENDED.encode(),
        "users.tsv": tsv(_users_table(for_names, tastes)),
        "text_feat.npy": npy(text_features(for_features, catalogue)),
        "image_feat.npy": npy(image_features(for_features, catalogue, pictures)),
        "truth.json": (json.dumps(truth, indent=1) + "\n").encode(),
        "truth.npz": npz(_truth_arrays(catalogue, tastes, pictures)),
    }
    for item, png in enumerate(draw_thumbnails(for_drawing, pictures)):
        files[thumbnail_path(item)] = png
    return files, history


def _truth(
    seed: int, catalogue: Catalogue, tastes: Tastes, pictures: Pictures, history: pd.DataFrame
) -> dict[str, Any]:
    train = history[history["x_label"] == TRAIN]
    sold = np.bincount(train["itemID"], minlength=len(catalogue))
    return {
        "format": FORMAT,
        "seed": seed,
        "n_users": tastes.n_users,
        "n_items": len(catalogue),
        "n_interactions": len(history),
        "isolated_items": np.flatnonzero(sold == 0).tolist(),
        "new_arrivals": tastes.new_arrivals.tolist(),
        "unseen_users": np.flatnonzero(tastes.cohort == COHORTS.index("unseen")).tolist(),
        "cohorts": list(COHORTS),
        "picture_kinds": list(PICTURE_KINDS),
        "picture_counts": np.bincount(pictures.kind, minlength=len(PICTURE_KINDS)).tolist(),
        "settings": {
            "stray_share": taste_model.STRAY_SHARE,
            "style_leak": taste_model.STYLE_LEAK,
            "look_boost": taste_model.LOOK_BOOST,
            "same_department": taste_model.SAME_DEPARTMENT,
            "popularity_exponent": taste_model.POPULARITY_EXPONENT,
            "popularity_offset": taste_model.POPULARITY_OFFSET,
            "activity_exponent": taste_model.ACTIVITY_EXPONENT,
            "noisy_picture_share": NOISY_SHARE,
        },
        "groups": [
            {
                "name": group_name(g),
                "category": CATEGORIES[c].name,
                "style": CATEGORIES[c].styles[s].name,
                "department": CATEGORIES[c].department,
                "looks": list(CATEGORIES[c].styles[s].looks),
            }
            for g, (c, s) in enumerate(groups())
        ],
    }


def _truth_arrays(
    catalogue: Catalogue, tastes: Tastes, pictures: Pictures
) -> dict[str, NDArray[Any]]:
    return {
        "user_groups": tastes.groups.astype(np.int16),
        "user_looks": tastes.looks.astype(np.int16),
        "user_weights": tastes.weights.astype(np.float32),
        "user_cohort": tastes.cohort.astype(np.int16),
        "item_group": catalogue.group.astype(np.int16),
        "item_category": catalogue.category.astype(np.int16),
        "item_look": catalogue.look.astype(np.int16),
        "item_popularity": tastes.popularity.astype(np.float32),
        "picture_kind": pictures.kind.astype(np.int16),
        "picture_group": pictures.shown_group.astype(np.int16),
    }


def _users_table(rng: np.random.Generator, tastes: Tastes) -> pd.DataFrame:
    """The rows of ``users.tsv``: an invented name, the segment, the cohort and the planted tastes."""
    pairs = groups()
    initials = np.array(list("ABCDEFGHIJKLMNOPRSTUVWYZ"))
    names = rng.choice(np.array(FIRST_NAMES), tastes.n_users)
    letters = rng.choice(initials, tastes.n_users)
    return pd.DataFrame(
        {
            "userID": np.arange(tastes.n_users),
            "name": [f"{name} {letter}." for name, letter in zip(names, letters, strict=True)],
            "segment": [CATEGORIES[pairs[g][0]].department for g in tastes.groups[:, 0]],
            "cohort": [COHORTS[c] for c in tastes.cohort],
            "tastes": ["; ".join(group_name(g) for g in row if g >= 0) for row in tastes.groups],
        }
    )
