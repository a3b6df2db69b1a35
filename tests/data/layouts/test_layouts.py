"""A small instance of every layout, read at the first attempt and without a flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.data import check, load_dataset
from tests.data.layouts.instances import LAYOUTS, PARTS, Layout, Row, World

DAY = 86_400
START = 1_500_000_000


def world(layout: str) -> World:
    """8 users with 5 of 7 items each, ids as the source has them, gaps included."""
    rows = []
    for user in range(8):
        for place in range(5):
            rating = 1 + (user + place) % 5
            time = START + DAY * place + user
            rows.append(Row(user, (user + place) % 7, rating, time, (0, 0, 0, 1, 2)[place]))
    titles = ("Toy Story (1995)", 'Café "Noir"', "Heat; or not", "A, B & C", "Zoë", "Up", "Seven")
    genres = (
        ("Action", "War"),
        ("Drama",),
        ("War",),
        ("Drama", "War"),
        ("Comedy",),
        ("War",),
        ("Drama",),
    )
    users = tuple(f"A{k}X{k}WZ9Q{k}PL" for k in (4, 2, 9, 1, 7, 3, 8, 5))
    items = tuple(f"B00{k}KLMNP" for k in range(7))
    if "MovieLens" in layout or "Last.fm" in layout or layout == "MMRec by pandas":
        users = tuple(map(str, (2, 4, 7, 9, 10, 30, 101, 2100)))
        items = tuple(map(str, (1, 5, 6, 52, 53, 1000, 18744)))
    if layout == "Book-Crossing":
        users = tuple(map(str, (2, 4, 7, 9, 10, 30, 101, 2100)))
        items = ("0195153448", "002542730X", "0006", "0007", "006", "07", "7")
    return World(tuple(rows), users, items, titles, genres)


@pytest.fixture(params=LAYOUTS)
def made(request, tmp_path: Path) -> tuple[str, Layout, World, Path]:
    name = request.param
    folder = tmp_path / "set"
    folder.mkdir()
    whole = world(name)
    return name, LAYOUTS[name], whole, LAYOUTS[name].write(whole, folder)


def test_right_at_the_first_attempt(made) -> None:
    _, layout, whole, place = made
    report = check(place)
    assert report.errors == ()
    figures = report.interactions
    assert (figures.n_users, figures.n_items) == (8, 7)
    assert figures.n_train + figures.n_valid + figures.n_test == 40
    if layout.parts == "all":
        assert (figures.n_train, figures.n_valid, figures.n_test) == (24, 8, 8)
    if layout.parts == "no validation":
        assert figures.n_test == 8
        assert "validation_from_train" in [notice.code for notice in report.notices]
    for words in layout.words:
        assert words in report.recognised
    assert len(report.preview) == 5
    dataset = load_dataset(place)
    assert set(dataset.user_ids) == set(whole.users)
    assert set(dataset.item_ids) == set(whole.items)
    found = {
        (dataset.user_ids[user], dataset.item_ids[item])
        for part in (dataset.train, dataset.valid, dataset.test)
        for user, item in zip(part.users, part.items, strict=True)
    }
    assert found == {(whole.users[row.user], whole.items[row.item]) for row in whole.rows}
    if layout.titles:
        titles = dict(zip(dataset.items["item_id"], dataset.items["title"], strict=True))
        assert titles == dict(zip(whole.items, whole.titles, strict=True))
    if layout.genres:
        first = dict(zip(dataset.items["item_id"], dataset.items["category"], strict=True))
        assert first == {
            item: kinds[0] for item, kinds in zip(whole.items, whole.genres, strict=True)
        }


def test_times_are_in_their_order(made) -> None:
    _, layout, whole, place = made
    if not layout.times:
        pytest.skip("this layout has no times")
    dataset = load_dataset(place, split="leave_last_out")
    last = {dataset.user_ids[u]: dataset.item_ids[i] for u, i in zip(
        dataset.test.users, dataset.test.items, strict=True)}  # fmt: skip
    assert last == {whole.users[u]: whole.items[(u + 4) % 7] for u in range(8)}


def test_ratings_are_said_and_a_threshold_keeps_the_high_ones(made) -> None:
    name, _, whole, place = made
    said = [n.message for n in check(place).notices if n.code == "ratings_unused"]
    if not said:
        assert name in ("RecBole in parts", "LATTICE", "SELFRec", "MicroLens") or "lists" in name.lower() \
            or name == "LightGCN"  # fmt: skip
        return
    assert "from 1 to 5, are not used" in said[0]
    dataset = load_dataset(place, rating_threshold=4, split="random", ratios=(0.5, 0.5, 0))
    n_pairs = sum(len(part) for part in (dataset.train, dataset.valid, dataset.test))
    assert n_pairs == sum(row.rating >= 4 for row in whole.rows) == 16


def test_everything_left_out_is_named(made) -> None:
    name, _, _, place = made
    left_out = load_dataset(place).left_out
    wanted = {
        "MovieLens latest": {"README.txt", "links.csv", "tags.csv"},
        "HetRec Last.fm": {"tags.dat", "user_friends.dat", "user_taggedartists.dat"},
        "LATTICE": {"trnMat.pkl"},
        "MovieLens 100k": {"u.genre", "u1.base"},
        "MicroLens": {"MicroLens-50k_pairs.tsv"},
        "Amazon reviews of 2014": {"column reviewText of reviews_Baby_5.json"},
    }
    assert wanted.get(name, set()) <= set(left_out)
    if name.startswith(("commas", "MMRec", "Parquet", "gzip")):
        assert left_out == ()


def test_parts_are_the_same_as_written(made) -> None:
    _, layout, whole, place = made
    if layout.parts != "all":
        pytest.skip("this layout has no validation part")
    dataset = load_dataset(place)
    for number, part in enumerate((dataset.train, dataset.valid, dataset.test)):
        pairs = zip(dataset.user_ids[part.users], dataset.item_ids[part.items], strict=True)
        wanted = {
            (whole.users[r.user], whole.items[r.item]) for r in whole.rows if r.part == number
        }
        assert set(pairs) == wanted, PARTS[number]
