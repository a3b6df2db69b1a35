"""The items of the invented shop: how many of which style, their titles and prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rednd_core.data.schema import IntArray
from rednd_core.errors import ConfigError
from rednd_core.samples.vocabulary import CATEGORIES, groups

SMALLEST_GROUP = 4


@dataclass(frozen=True)
class Catalogue:
    """The planted side of the items, all arrays (n_items,) in item order.

    Attributes:
        group: taste group, an index into :func:`vocabulary.groups`.
        category: index into ``CATEGORIES``.
        look: which of its style's ``looks`` the title starts with.
        titles: distinct English titles.
        prices: currency units.
    """

    group: IntArray
    category: IntArray
    look: IntArray
    titles: tuple[str, ...]
    prices: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.group)


def make_catalogue(rng: np.random.Generator, n_items: int) -> Catalogue:
    """Draw ``n_items`` items over all styles; category and style do not follow the item order."""
    pairs = groups()
    sizes = _group_sizes(rng, n_items)
    group = rng.permutation(np.repeat(np.arange(len(pairs)), sizes))
    look = np.empty(n_items, dtype=np.int64)
    titles = np.empty(n_items, dtype=object)
    prices = np.empty(n_items)
    for g, (c, s) in enumerate(pairs):
        members = np.flatnonzero(group == g)
        look[members], titles[members] = _titles(rng, c, s, len(members))
        prices[members] = _prices(rng, CATEGORIES[c].price, len(members))
    category = np.array([c for c, _ in pairs])[group]
    return Catalogue(group, category, look, tuple(titles), prices)


def items_table(catalogue: Catalogue) -> pd.DataFrame:
    """The rows of ``items.tsv``; row = itemID."""
    pairs = groups()
    n = len(catalogue)
    return pd.DataFrame(
        {
            "itemID": np.arange(n),
            "sku": [f"SH-{i:04d}" for i in range(n)],
            "title": catalogue.titles,
            "category": [CATEGORIES[c].name for c in catalogue.category],
            "style": [CATEGORIES[c].styles[s].name for c, s in (pairs[g] for g in catalogue.group)],
            "price": [f"{price:.2f}" for price in catalogue.prices],
            "image": [thumbnail_path(i) for i in range(n)],
        }
    )


def thumbnail_path(item: int) -> str:
    """Where an item's picture lies, relative to the shop's folder."""
    return f"thumbnails/{item:04d}.png"


def group_name(group: int) -> str:
    """``"Lamps/Walnut"``: how a taste is written in tables."""
    c, s = groups()[group]
    return f"{CATEGORIES[c].name}/{CATEGORIES[c].styles[s].name}"


def _group_sizes(rng: np.random.Generator, n_items: int) -> IntArray:
    """Items a group, (n_groups,), unequal but never tiny; the sum is ``n_items``."""
    pairs = groups()
    capacity = np.array([_n_titles(c, s) for c, s in pairs])
    # Beyond half of the titles that a style has, the names of its items would all look alike.
    most = int(capacity.min()) // 2 * len(pairs)
    least = SMALLEST_GROUP * len(pairs)
    if not least <= n_items <= most:
        raise ConfigError(
            expected=f"between {least} and {most} items for {len(pairs)} styles",
            found=f"n_items={n_items}",
            remedy="choose a number in that range",
        )
    share = rng.uniform(0.6, 1.4, len(pairs))
    exact = SMALLEST_GROUP + (n_items - least) * share / share.sum()
    sizes: IntArray = np.floor(exact).astype(np.int64)
    left_over = n_items - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:left_over]] += 1
    return sizes


def _n_titles(c: int, s: int) -> int:
    style = CATEGORIES[c].styles[s]
    return len(style.looks) * len(style.nouns) * len(CATEGORIES[c].details)


def _titles(rng: np.random.Generator, c: int, s: int, count: int) -> tuple[IntArray, list[str]]:
    """``count`` distinct titles of a style, e.g. "Walnut desk lamp, brass arm", and their looks."""
    details, style = CATEGORIES[c].details, CATEGORIES[c].styles[s]
    codes = rng.choice(_n_titles(c, s), size=count, replace=False)
    look, noun, detail = np.unravel_index(codes, (len(style.looks), len(style.nouns), len(details)))
    titles = [
        f"{style.looks[a]} {style.nouns[b]}, {details[d]}"
        for a, b, d in zip(look, noun, detail, strict=True)
    ]
    return look, titles


def _prices(rng: np.random.Generator, typical: int, count: int) -> NDArray[np.float64]:
    """Log-normal around the category's price, ending in .90."""
    whole = np.round(typical * rng.lognormal(0.0, 0.35, count)).astype(np.float64)
    return np.asarray(np.maximum(1.0, whole) - 0.1)
