"""Tables fit the usual 80 columns without words cut in two."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.cli.options import show_table
from rednd_core.runs import RunStore


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch, rednd) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # after the wider one of ``rednd``


def body(out: str) -> list[list[str]]:
    """Cells of every line of the table's body."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()
            if line.startswith("│")]  # fmt: skip


def test_headings_break_between_words_before_cells_are_folded(capsys) -> None:
    columns = ["layer", *["Two-hop Rayleigh quotient of users"] * 6]
    show_table("t", columns, [[1, *["0.12345"] * 6]])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert body(out) == [["1", *["0.12345"] * 6]]
    for word in columns[1].split():
        assert out.count(word) == 6


def test_headings_stay_on_a_line_where_there_is_room(capsys) -> None:
    show_table("t", ["two words", "more words"], [[1, None]])
    out = capsys.readouterr().out
    assert "two words" in out
    assert body(out) == [["1", ""]]


def test_titles_of_items_are_shown_literally(capsys) -> None:
    """Square brackets and colons are markup to the library that draws tables."""
    show_table("user [b]7[/b]: best 3 of 20 unseen items", ["title"], [["Mug [/red] :cat: [new]"]])
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "user [b]7[/b]: best 3 of 20 unseen items", "in one line"
    assert body(out) == [["Mug [/red] :cat: [new]"]]


def test_a_list_of_runs_keeps_their_names_whole(rednd, trained: RunStore) -> None:
    (trained.root / "broken").mkdir()
    out = rednd("runs", "list").out
    notes = {row[0]: row[-1] for row in body(out)}
    assert {"done", "broken", "shop-lightgcn", "shop-rednnd-a0.01"} <= set(notes)
    day = f"{trained.open('done').record.provenance.created:%Y-%m-%d}"
    assert (notes["done"], notes["shop-lightgcn"]) == (day, "bundled")
    assert out.splitlines()[-1].startswith("broken: Expected the file broken/config.json")


def test_every_measure_says_of_how_many(rednd, trained: RunStore) -> None:
    """Edges and sampled pairs are not the nodes that the title counts."""
    out = rednd("smoothness", "--run", "done").out
    assert "done · id · users (n = 40, 0 isolated left out)" in out
    assert "done · id · all (n = 70, 0 isolated left out)" in out
    assert out.count("(n=280)") == 2, "edge MAD and alignment: train interactions"


def test_a_data_report_names_modalities_and_columns(rednd, planted_folder: Path) -> None:
    rows = body(rednd("data", "check", planted_folder).out)
    found = dict(row for row in rows if len(row) == 2)  # beside the table of the first rows
    assert (found["features.image.rows"], found["features.text.dim"]) == ("30", "8")
    assert found["features.image.dtype"] == "float32"
    assert found["item_columns"] == "title"
    assert found["interactions.n_train"] == "280"


@pytest.mark.parametrize("by", ["activity", "degree", "popularity"])
def test_slices_are_columns(rednd, trained: RunStore, by: str) -> None:
    found = rednd("evaluate", "--run", "done", "--by", by, "--json").json["slices"]["test"]
    out = rednd("evaluate", "--run", "done", "--by", by).out
    assert max(map(len, out.splitlines())) <= 80
    rows = {row[0]: row[1:] for row in body(out.split(f"test, by {by}")[1])}
    assert rows["users"] == [str(part["n_users"]) for part in found]
    assert rows["held-out items"] == [str(part["n_held_out"]) for part in found]
    for metric in ("recall@5", "hit_rate@20"):
        assert rows[metric] == [f"{part[metric]:.4f}" for part in found]
