"""A card says of an item what there is to say, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from rednd_core.data import load_dataset


def card(path: str, facts: tuple[str, ...]) -> None:
    from app.shared.product import product_card
    from rednd_core.data import load_dataset

    product_card(load_dataset(path), 1, key="card", lead="3", facts=facts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pairs = [(user, item, label) for user in range(4) for item, label in ((0, 0), (1, 1), (2, 2))]
    lines = ["userID,itemID,x_label", *(f"u{u},I{i},{label}" for u, i, label in pairs)]
    (tmp_path / "interactions.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("items", "facts", "said"),
    [
        (None, (), "**3** · I1"),
        (None, ("score 2",), "**3** · I1  \n:small[score 2]"),
        ("itemID,title\nI0,Cup\nI1,Mug\nI2,Jar\n", (), "**3** · Mug  \n:small[id I1]"),
    ],
    ids=["an id alone", "an id with facts", "a title"],
)
def test_the_id_stands_once(folder: Path, items: str | None, facts, said: str) -> None:
    if items:
        (folder / "items.csv").write_text(items)
    assert str(load_dataset(folder).item_ids[1]) == "I1"
    app = AppTest.from_function(card, args=(str(folder), facts), default_timeout=60).run()
    assert not app.exception
    (text,) = app.markdown
    assert text.value == said
