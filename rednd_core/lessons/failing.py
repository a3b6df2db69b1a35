"""Lesson 9: whom a model fails, and what a feature that misleads does to a list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.cosine import unit_rows
from rednd_core.data.tables import shorten
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.evaluation.ranking import top_k
from rednd_core.evaluation.slices import by_activity
from rednd_core.lessons.lesson import Claim, Question, Step, Way
from rednd_core.lessons.pictures import Picture, bar, bars, card, cards
from rednd_core.lessons.world import RECALL_K, LessonRun, World

LIST_LENGTH = 10
NEIGHBOURS = 10
OPTIONS = 4
NAMED = 48  # characters of a title on a card
MISLED = 1  # the kind of a feature row that shows another category; 0 is true
WORDS = {"image": "picture", "text": "text"}


def for_whom(world: World) -> tuple[Step, ...]:
    """Lesson 9."""
    return (_activity(world), _misled_list(world), _agreement(world))


def _activity(world: World) -> Step:
    found = {}
    for title, run in (("LightGCN", world.plain), ("RedNⁿD", world.aligned)):
        layers = run.run.layers()
        whole = evaluate(
            layers.user_emb,
            layers.item_emb,
            world.dataset.train_matrix,
            world.dataset.valid,
            [RECALL_K],
        )
        for part, of in by_activity(whole).items():
            label = f"{title}, {part} users ({of.n_users:,})"
            found[label] = (part, float(of.values(f"recall@{RECALL_K}").mean()))
    parts = list(dict.fromkeys(part for part, _ in found.values()))
    picture = bars(
        "[[Recall@20|recall@k]] on validation",
        {
            label: value
            for label, (_, value) in sorted(found.items(), key=lambda one: parts.index(one[1][0]))
        },
        colors=("one", "two"),
    )
    gains = {part: _gain(picture, part) for part in parts}
    most = max(gains, key=lambda part: gains[part])
    return Step(
        "activity",
        "Who gains from features?",
        "[[Cold users|cold user]] have at most five train items, heavy ones have many. LightGCN knows only "
        "who chose what. RedNⁿD also knows features of the items, some of which are wrong.",
        picture,
        (
            Claim(
                "In this one training of each model Recall@20 changes by "
                + ", ".join(f"{gain:+.3f} for {part} users" for part, gain in gains.items())
                + ". One mean over all users hides this. A difference of .01 is no proof.",
                lambda p: (
                    max(_gain(p, part) for part in parts) - min(_gain(p, part) for part in parts)
                    > 0.03
                    and _gain(p, most) == max(_gain(p, part) for part in parts)
                ),
            ),
        ),
        Question(
            "Which users gain most?",
            tuple(f"The {part} ones" for part in parts),
            parts.index(most),
        ),
    )


def _gain(picture: Picture, part: str) -> float:
    """RedNⁿD's bar of a slice above LightGCN's."""
    (plain,) = [b["value"] for b in picture["bars"] if b["label"].startswith(f"LightGCN, {part}")]
    (other,) = [b["value"] for b in picture["bars"] if b["label"].startswith(f"RedNⁿD, {part}")]
    return float(other - plain)


@dataclass(frozen=True)
class Misled:
    """A list with an item that a wrong feature explains.

    Attributes:
        user, item: dense ids. place: of the item in the list, from 0.
        parts: score of the item by modality.
    """

    user: int
    item: int
    place: int
    parts: dict[str, float]


def find_misled(world: World, own: NDArray[np.int64], other: NDArray[np.int64]) -> Misled:
    """The recommendation that a misleading feature explains best.

    The user has train items of the category that the feature shows, and none of the item's true category;
    the modality that misleads has the largest share of the score; LightGCN does not list the item.

    Args:
        own, other: (n_users, LIST_LENGTH) lists of RedNⁿD and of LightGCN.
    """
    truth, train, layers = world.truth, world.dataset.train, world.aligned.run.layers()
    has = np.zeros((world.dataset.n_users, len(truth.categories)), dtype=bool)
    has[train.users, truth.category[train.items]] = True
    modalities = list(layers)
    edges = np.cumsum([0, *(layers[name][0].shape[1] for name in modalities)])
    found = []
    for user, place in np.argwhere((own >= 0) & (truth.kind[own] == MISLED)):
        item = int(own[user, place])
        if (
            item in other[user]
            or has[user, truth.category[item]]
            or not has[user, truth.shown[item]]
        ):
            continue
        products = layers.user_emb[user] * layers.item_emb[item]
        parts = {
            name: float(products[a:b].sum())
            for name, a, b in zip(modalities, edges[:-1], edges[1:], strict=True)
        }
        rest = max(value for name, value in parts.items() if name != truth.modality)
        found.append((parts[truth.modality] - rest, int(user), item, int(place), parts))
    _, user, item, place, parts = max(found)
    return Misled(user, item, place, parts)


def _lists(world: World, run: LessonRun) -> NDArray[np.int64]:
    layers, data = run.run.layers(), world.dataset
    return top_k(
        layers.user_emb, layers.item_emb, data.train_matrix, np.arange(data.n_users), LIST_LENGTH
    )[0]


def _misled_list(world: World) -> Step:
    own, other = _lists(world, world.aligned), _lists(world, world.plain)
    misled = find_misled(world, own, other)
    truth, train = world.truth, world.dataset.train
    word = WORDS[truth.modality]
    name = str(world.names.titles[misled.user])
    held = world.dataset.valid.items[world.dataset.valid.users == misled.user]
    liked = train.items[train.users == misled.user]

    def title(item: int) -> str:
        return shorten(str(world.names.titles[world.dataset.n_users + int(item)]), NAMED)

    def listed(items: NDArray[np.int64], *, reveal: bool) -> list[dict[str, str]]:
        made = []
        for item in items[items >= 0]:
            wrong = reveal and truth.kind[item] == MISLED
            category = truth.categories[truth.category[item]]
            note = category
            if wrong:
                note = f"{category}; its {word} shows {truth.categories[truth.shown[item]]}"
            mark = "wrong" if wrong else "hit" if reveal and item in held else ""
            made.append(card(title(item), note, mark))
        return made

    def picture(*, reveal: bool) -> Picture:
        has = [card(title(i), truth.categories[truth.category[i]]) for i in liked[:LIST_LENGTH]]
        head = f"Train items of {name} ({min(len(liked), LIST_LENGTH)} of {len(liked)})"
        return cards(
            f"What {name} chose, and what RedNⁿD lists",
            {head: has, "List of RedNⁿD": listed(own[misled.user], reveal=reveal)},
        )

    true_category = truth.categories[truth.category[misled.item]]
    shown = truth.categories[truth.shown[misled.item]]
    rng = np.random.default_rng(0)
    honest = [i for i in own[misled.user] if i >= 0 and truth.kind[i] != MISLED]
    options = [*rng.choice(honest, OPTIONS - 1, replace=False).tolist(), misled.item]
    options = sorted(options, key=list(own[misled.user]).index)
    largest = max(misled.parts, key=lambda modality: misled.parts[modality])
    return Step(
        "misled",
        "One recommendation is there for a wrong reason",
        f"{name} has never chosen anything of the category of one of the listed items, and LightGCN "
        "does not list "
        "that item. What put it into the list of RedNⁿD?",
        picture(reveal=True),
        (
            Claim(
                f"“{title(misled.item)}” is one of the {true_category}, but its {word} shows "
                f"{shown}, which {name} "
                "likes. Its score: "
                + ", ".join(f"{m} {wording.measure(v)}" for m, v in misled.parts.items())
                + ".",
                lambda p: (
                    any(
                        one["mark"] == "wrong"
                        and one["note"] == f"{true_category}; its {word} shows {shown}"
                        for one in p["columns"][1]["cards"]
                    )
                    and any(one["note"] == shown for one in p["columns"][0]["cards"])
                    and largest == truth.modality
                ),
            ),
        ),
        Question(
            "Which one is listed for a wrong reason?",
            tuple(title(item) for item in options),
            options.index(misled.item),
        ),
        before=picture(reveal=False),
        way=Way(
            "This user's lists",
            "recommendations",
            {"run": world.aligned.run.name, "user": str(world.dataset.user_ids[misled.user])},
        ),
    )


def same_category(
    vectors: NDArray[np.floating], category: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(n_items,) the share of each item's nearest other items (by cosine) that have its category."""
    unit = unit_rows(np.asarray(vectors, dtype=np.float64))
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
    return np.asarray((category[nearest] == category[:, None]).mean(axis=1))


def _agreement(world: World) -> Step:
    truth, n_users = world.truth, world.dataset.n_users
    word = WORDS[truth.modality]
    layers = world.aligned.run.layers()[truth.modality]
    linked = world.graph.degrees[n_users:] > 0
    wrong, right = (truth.kind == MISLED) & linked, (truth.kind == 0) & linked
    raw = same_category(world.dataset.features[truth.modality], truth.category)
    first = same_category(layers[0][n_users:], truth.category)
    last = same_category(layers[-1][n_users:], truth.category)
    end = len(layers) - 1
    labels = {
        f"true {word}, layer 0": first[right],
        f"wrong {word}, raw features": raw[wrong],
        f"wrong {word}, layer 0": first[wrong],
        f"wrong {word}, layer {end}": last[wrong],
    }
    picture = bars(
        f"Share of the {NEIGHBOURS} nearest items that have the item's true category",
        {label: float(values.mean()) for label, values in labels.items()},
        colors=("one", "two", "two", "users"),
    )
    names = list(labels)
    return Step(
        "planted",
        f"The planted {word}s revealed",
        f"{int((truth.kind == MISLED).sum()):,} of {world.dataset.n_items:,} items have a {word} "
        "that shows another "
        f"category. Vectors are those of the modality {truth.modality}; layer {end} is propagated, "
        "so buyers of an "
        "item have a say in it.",
        picture,
        (
            Claim(
                f"In this one training an item with a wrong {word} has at layer 0 hardly "
                "a neighbour of its own category "
                f"({bar(picture, names[2]):.0%}; with a true one {bar(picture, names[0]):.0%}).",
                lambda p: bar(p, names[2]) < 0.5 * bar(p, names[0]) and bar(p, names[1]) < 0.2,
            ),
            Claim(
                f"At layer {end} it is {bar(picture, names[3]):.0%}: propagation repairs a wrong "
                f"{word}. Smoothing is "
                "what saves the item that the features betray.",
                lambda p: bar(p, names[3]) > 0.6 > bar(p, names[2]),
            ),
        ),
        Question(
            f"After {end} steps of propagation, what happens to items with a wrong {word}?",
            (
                "Their buyers pull them to their true category",
                "They stay among the wrong items",
                "They are spread at random",
            ),
            0,
        ),
    )
