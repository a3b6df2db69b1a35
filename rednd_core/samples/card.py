"""The README that lies beside the sample data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rednd_core.samples.catalogue import Catalogue
from rednd_core.samples.features import DIM
from rednd_core.samples.history import TEST, TRAIN, VALID
from rednd_core.samples.tastes import COHORTS, Tastes
from rednd_core.samples.vocabulary import CATEGORIES, groups

_TEMPLATE = """\
# A sample shop

An invented shop with planted tastes: {n_users:,} users, {n_items:,} items, {n:,} interactions. Every
title, person and picture is made up; likeness to real products or people is chance.
Made by `rednd data make-sample` (`rednd_core.samples`), seed {seed}; the same seed gives the same
bytes. Do not edit the files by hand.

| file | content |
|---|---|
| `shop.inter` | tab-separated userID, itemID, x_label, timestamp (s, UTC) |
| `text_feat.npy`, `image_feat.npy` | {n_items} x {dim} float32, row = itemID |
| `items.tsv` | itemID, sku (article number), title, category, style, price, image (path in this folder) |
| `recommended.toml` | settings for a live demonstration: short epochs, a training of minutes |
| `users.tsv` | userID, invented name, segment, cohort, planted tastes |
| `thumbnails/` | one 96 x 96 PNG an item |
| `truth.json`, `truth.npz` | the planted truth (below); read with `allow_pickle=False` |

x_label is 0 train ({train:,}), 1 validation ({valid:,}), 2 test ({test:,}): a user's last tenth of
interactions (at least one) is test, the tenth before it validation.

## What is planted

- {n_categories} categories in {n_departments} departments, {n_groups} styles. A style is a taste group.
- A user likes 1 to 3 styles, each with a favourite look (the first words of the title, such as "Walnut").
  {same_department:.0%} of the further tastes stay in the first one's department.
- Weight of an item for a user: popularity x (1 in a liked style, times {look_boost:g} for the favourite
  look; {style_leak:g} in another style of a liked category; {stray_share:g} anywhere). Result:
  {own_style:.0%} of the interactions fall into a liked style, {own_category:.0%} into a liked category;
  the rest is stray.
- Popularity falls as (rank + {popularity_offset:g})^-{popularity_exponent:g}.
  Activity is a power law from 5 up.
- Text features: category + style + look + noise.
- Image features: category + style of what the picture shows + noise. {noisy:.0%} of the pictures mislead:
  {mixed_up} are mixed up (they show an item of another category), {blurred} are blurred (their row
  is noise).
- {newcomers} newcomers with one or two train interactions, {unseen} users without any, {isolated} items
  without a train interaction ({arrivals} of them new arrivals, which only test knows).

`truth.npz`: user_groups, user_looks, user_weights (users x 3, -1 or 0 where a user has fewer tastes),
user_cohort, item_group, item_category, item_look, item_popularity, picture_kind, picture_group. Group,
cohort and kind are indices into the lists of `truth.json`.

## Licence

CC0 1.0: no rights reserved. Made by this project from its own code; nothing was taken from elsewhere.
"""


def readme(
    truth: dict[str, Any], history: pd.DataFrame, catalogue: Catalogue, tastes: Tastes
) -> str:
    """The text, with the figures of this shop."""
    counts = history["x_label"].value_counts()
    own_style, own_category = taste_shares(history, catalogue, tastes)
    _, mixed_up, blurred = truth["picture_counts"]
    return _TEMPLATE.format(
        seed=truth["seed"],
        n_users=tastes.n_users,
        n_items=len(catalogue),
        n=len(history),
        dim=DIM,
        train=counts[TRAIN],
        valid=counts[VALID],
        test=counts[TEST],
        n_categories=len(CATEGORIES),
        n_departments=len({category.department for category in CATEGORIES}),
        n_groups=len(groups()),
        own_style=own_style,
        own_category=own_category,
        noisy=(mixed_up + blurred) / len(catalogue),
        mixed_up=mixed_up,
        blurred=blurred,
        newcomers=int((tastes.cohort == COHORTS.index("newcomer")).sum()),
        unseen=len(truth["unseen_users"]),
        isolated=len(truth["isolated_items"]),
        arrivals=len(truth["new_arrivals"]),
        **{
            key: truth["settings"][key]
            for key in (
                "same_department",
                "look_boost",
                "style_leak",
                "stray_share",
                "popularity_offset",
                "popularity_exponent",
            )
        },
    )


def taste_shares(
    history: pd.DataFrame, catalogue: Catalogue, tastes: Tastes
) -> tuple[float, float]:
    """Shares of the interactions inside a liked style and inside a liked category."""
    users, items = history["userID"].to_numpy(), history["itemID"].to_numpy()
    liked = tastes.groups[users]
    category = np.array([c for c, _ in groups()])
    in_style = (liked == catalogue.group[items, None]).any(axis=1)
    same = (category[liked] == catalogue.category[items, None]) & (liked >= 0)
    return float(in_style.mean()), float(same.any(axis=1).mean())
