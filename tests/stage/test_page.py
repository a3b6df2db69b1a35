"""The stage as one file: nothing is loaded, no name becomes markup, answers are the numbers of the run."""

from __future__ import annotations

import re

from rednd_core import wording
from rednd_core.stage.of_run import depth_axis
from rednd_core.stage.page import offline_page, questions_of, stage_part
from rednd_core.stage.payload import stage_payload
from tests.stage.conftest import N_ITEMS, N_USERS

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def page_of(world, title: str = "Depth") -> str:
    run = world.run()
    payload = stage_payload(
        [(run, {})],
        world.cast,
        axis=depth_axis([run]),
        n_users=N_USERS,
        n_items=N_ITEMS,
        labels=lambda nodes: [f"{HOSTILE} {node}" for node in nodes],
        titles=lambda nodes: [HOSTILE for _ in nodes],
        keys=lambda nodes: [f"user:{node}" for node in nodes],
    )
    return offline_page(title, HOSTILE, [stage_part(payload, [run], 1)])


def test_the_page_names_no_other_place_and_may_load_nothing(world) -> None:
    page = page_of(world)
    assert "://" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"<(link|img|iframe|script[^>]+src)", page)


def test_names_of_the_data_are_text(world) -> None:
    page = page_of(world, title=HOSTILE)
    assert page.count("<script>") == page.count("</script>") == 1
    assert "<img" not in page
    assert "\\u003c/script>" in page


def test_answers_are_the_numbers_of_the_run(world) -> None:
    run = world.run()
    best = int(run.recall["value"].idxmax())
    (question, answer), (_, distance) = questions_of([run])
    assert question == "At which depth is Recall@20 highest?"
    assert f"At depth {best}: {run.recall['value'][best]:.4f}" in answer
    assert f"for {len(world.cast.users):,} users" in answer
    mad = run.measures[(run.measures["measure"] == "mad") & (run.measures["side"] == "users")]
    assert f"from {wording.measure(mad[mad['layer'] == 0]['value'].item())}" in distance


def test_two_runs_are_asked_about_by_name(world) -> None:
    questions = questions_of([world.run("a"), world.run("b")])
    assert len(questions) == 4
    assert "in Run a" in questions[0][0]
    assert "in Run b" in questions[2][0]
