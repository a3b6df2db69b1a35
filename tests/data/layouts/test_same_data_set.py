"""Any valid table, in every layout that can hold it, with rows in any order, is the same data set."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rednd_core.data import load_dataset
from rednd_core.data.schema import Dataset
from tests.data.layouts.instances import LAYOUTS, Layout, Row, World

START = 1_500_000_000
LABELS = {
    "numbers": st.integers(0, 10**6).map(str),
    "leading zeros": st.integers(0, 10**6).map("{:08}".format),
    "texts": st.text("abcXYZ019_-.@", min_size=2, max_size=6).map(lambda text: f"x{text}y"),
    "unicode": st.text("aéßλЖ猫🙂", min_size=1, max_size=5).map(lambda text: f"u{text}"),
    "accents": st.text("aé\u0301ßİı", min_size=1, max_size=5).map(lambda text: f"v{text}"),
    "signs": st.text("ab,;|'\" #", min_size=1, max_size=5).map(lambda text: f"s{text}e"),
    "words of tables": st.sampled_from(
        ["NA", "null", "nan", "None", "True", "1e5", "0x1F", "-1", "+7"]
    ),
}


def fits(layout: str, spelling: str) -> bool:
    """Whether ids of that spelling can stand in a layout, by the rules of the layout itself."""
    if spelling == "numbers":
        return layout != "MovieLens as it is downloaded"  # the same files as MovieLens latest
    text_by = LAYOUTS[layout]
    if text_by.numbers or "MovieLens" in layout or "HetRec" in layout:
        return False
    if spelling == "signs":
        return layout in HOLDS_SIGNS
    if spelling in ("unicode", "accents"):
        return layout != "Book-Crossing"  # its letters are those of Latin-1
    return True


HOLDS_SIGNS = {
    *(
        "commas",
        "semicolons",
        "bars",
        "commas, all quoted",
        "semicolons, all quoted",
        "bars, all quoted",
    ),
    *("semicolons of a spreadsheet", "gzip", "tabs", "ZIP", "MMRec", "RecBole", "RecBole in parts"),
    *("Parquet", "Feather", "Yelp", "LATTICE", "Amazon reviews of 2014", "Amazon reviews of 2023"),
}
"""Layouts whose cells may hold separators and quotes: quoted, or no separators there."""
CASES = [(layout, spelling) for layout in LAYOUTS for spelling in LABELS if fits(layout, spelling)]


@st.composite
def worlds(draw: st.DrawFn, spelling: str) -> World:
    """3 to 6 users with 4 to 6 of 4 to 7 items each; every rating occurs, times differ."""
    kind = LABELS[spelling]
    n_users, n_items = draw(st.integers(3, 6)), draw(st.integers(6, 8))
    users = draw(st.lists(kind, min_size=n_users, max_size=n_users, unique=True))
    items = draw(st.lists(kind, min_size=n_items, max_size=n_items, unique=True))
    rows = []
    for user in range(n_users):
        chosen = draw(st.permutations(range(n_items)))[: draw(st.integers(4, 6))]
        for place, item in enumerate(chosen):
            part = (0, 0, 1, 2)[place] if place < 4 else 0
            time = START + 3600 * place + user
            rows.append(Row(user, item, 1 + (user + place) % 5, time, part))
    titles = tuple(f"Title {k}" for k in range(n_items))
    return World(tuple(rows), tuple(users), tuple(items), titles, (("War",),) * n_items)


def shuffled(world: World, layout: Layout, seed: int) -> World:
    """Rows in another order; lists say their order of time, so that a user's rows keep theirs."""
    rows = random.Random(seed).sample(world.rows, len(world.rows))
    if layout is LAYOUTS["MicroLens lists"]:
        rows.sort(key=lambda row: row.time)
    return World(tuple(rows), world.users, world.items, world.titles, world.genres)


def as_sets(dataset: Dataset) -> tuple[set[tuple[str, str]], ...]:
    return tuple(
        set(zip(dataset.user_ids[part.users], dataset.item_ids[part.items], strict=True))
        for part in (dataset.train, dataset.valid, dataset.test)
    )


def digest_of_pairs(world: World, place: Path, *, with_parts: bool) -> str:
    """The digest of the same rows as a plain Parquet table of users and items, and parts if wanted."""
    columns = dict(
        zip(
            ("user", "item", "x_label"),
            zip(*world.cells("user", "item", "part"), strict=True),
            strict=True,
        )
    )
    if not with_parts:
        del columns["x_label"]
    pq.write_table(pa.table({name: pa.array(cells) for name, cells in columns.items()}), place)
    return load_dataset(place).digest


@pytest.mark.parametrize(("name", "spelling"), CASES)
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(data=st.data())
def test_the_same_data_set_in_every_layout(name: str, spelling: str, data: st.DataObject) -> None:
    layout = LAYOUTS[name]
    world = data.draw(worlds(spelling))
    loaded = []
    with tempfile.TemporaryDirectory() as root:
        for seed in (0, 1):
            folder = Path(root) / str(seed)
            folder.mkdir()
            place = layout.write(shuffled(world, layout, seed), folder)
            loaded.append(load_dataset(place, layout="auto"))
        other = Path(root) / "pairs.parquet"
        digest = digest_of_pairs(world, other, with_parts=layout.parts == "all")
    wanted = [
        {(world.users[r.user], world.items[r.item]) for r in world.rows if r.part == part}
        for part in range(3)
    ]
    parts = as_sets(loaded[0])
    assert set.union(*parts) == set.union(*wanted)
    if layout.parts == "all":
        assert list(parts) == wanted
    if layout.parts == "no validation":
        assert parts[2] == wanted[2]
    assert loaded[0].digest == loaded[1].digest
    if layout.parts != "no validation":
        assert loaded[0].digest == digest
