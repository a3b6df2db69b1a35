"""``rednd publish``: one file from bundled runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("runs", "out", "said"),
    [
        ([], "lesson.html", "or a lesson"),
        (["a", "b", "c"], "lesson.html", "one or 2 runs"),
        (["shop-lightgcn"], "lesson.pdf", "ending in .html"),
    ],
)
def test_what_cannot_be_published_is_refused(rednd, tmp_path: Path, runs, out, said) -> None:
    options = [part for name in runs for part in ("--run", name)]
    result = rednd("publish", *options, "--out", tmp_path / out)
    assert result.code in (1, 2)
    assert said in result.err.replace("\n", " ")
    assert not list(tmp_path.glob("lesson*"))


def test_two_bundled_runs_become_one_file(rednd, tmp_path: Path) -> None:
    out = tmp_path / "lesson.html"
    names = ("shop-rednnd-a0", "shop-rednnd-a0.1")
    options = [part for name in names for part in ("--run", name)]
    result = rednd("publish", *options, "--out", out, "--no-umap", "--title", "One <b> class")
    assert result.code == 0, result.err
    page = out.read_text(encoding="utf-8")
    assert out.stat().st_size < 6_000_000
    assert "<h1>One &lt;b&gt; class</h1>" in page
    assert "RedNⁿD, alignment 0 and RedNⁿD, alignment 0.1 on shop: 1,000 users, 600 items." in page
    begin = page.index("getElementById('stage'), ") + len("getElementById('stage'), ")
    payload, _ = json.JSONDecoder().raw_decode(page[begin:])
    assert [run["name"] for run in payload["runs"]] == list(names)
    assert all(run["n_steps"] == 17 for run in payload["runs"])


def test_lessons_become_one_file_with_the_depth_of_a_run(rednd, tmp_path: Path) -> None:
    out = tmp_path / "lesson.html"
    lessons = ("--lesson", "6", "--lesson", "3")
    result = rednd("publish", "--run", "shop-lightgcn", *lessons, "--out", out, "--no-umap")
    assert result.code == 0, result.err
    page = out.read_text(encoding="utf-8")
    assert out.stat().st_size < 6_000_000
    assert "://" not in page
    assert "default-src 'none'" in page
    begin = page.rindex("lessonFile(document, ") + len("lessonFile(document, ")
    payloads, _ = json.JSONDecoder().raw_decode(page[begin:])
    assert [payload["lesson"]["number"] for payload in payloads] == [3, 6]
    assert payloads[0]["next"] == 6
    assert not payloads[0]["ways"]
    assert "getElementById('stage'), " in page


def test_an_unknown_lesson_or_world_is_named(rednd, tmp_path: Path) -> None:
    out = tmp_path / "lesson.html"
    for options, said in ((("--lesson", "11"), "from 1 to 10"), (("--world", "opera"), "opera")):
        result = rednd("publish", "--lesson", "1", *options, "--out", out)
        assert result.code == 1
        assert said in result.err
    assert not out.exists()
