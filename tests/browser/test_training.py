"""The demonstration in class, in a real browser with a real training on the bundled sample."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rednd_core import jobs
from rednd_core.runs import Run, RunStore

NAME = "demo"
REACTION_SECONDS = 2.0  # what the page promises
SLACK_SECONDS = 4.0  # for a busy test machine


@pytest.fixture(scope="module")
def store(app_home: Path) -> Iterator[RunStore]:
    """The server's own runs; whatever still trains at the end is killed."""
    store = RunStore(app_home / "runs")
    yield store
    for entry in store.list():
        if entry.status and entry.status.is_live:
            jobs.kill(entry.run)


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)
    return found


def epoch_of_picture(page: Any) -> int:
    """The epoch in the caption of the layers' map; -1 while there is none."""
    caption = page.get_by_text(re.compile("Layers after epoch"))
    found = re.search(r"after epoch (\d+)", caption.inner_text()) if caption.count() else None
    return int(found[1]) if found else -1


def points_of_layers(page: Any) -> list[float]:
    """The first coordinates of the map as plotly has drawn them."""
    return page.evaluate(
        "() => Array.from(document.querySelector('.st-key-training-layers .js-plotly-plot')"
        "._fullData[0].x).slice(0, 20)"
    )


def test_the_demonstration(open_page: Callable[..., Any], store: RunStore) -> None:
    page = open_page("/training")
    page.get_by_role("textbox", name="Name of the run").fill(NAME)
    page.get_by_role("textbox", name="Name of the run").press("Enter")
    page.get_by_role("button", name="Start training").click()

    # It trains, and every part of the page moves.
    run = Run(store.root / NAME)
    until(lambda: run.path.exists() and run.status.state == "running")
    until(lambda: epoch_of_picture(page) >= 3)
    before = points_of_layers(page)
    until(lambda: epoch_of_picture(page) >= 6)
    assert points_of_layers(page) != before
    assert page.locator(".js-plotly-plot").count() == 5

    # The weight is moved while it trains.
    slider = page.locator(".st-key-training-weight-demo").get_by_role("slider")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    moved = time.monotonic()
    applied = page.get_by_text(re.compile(r"was applied in epoch \d+, [\d.]+ s after"))
    until(lambda: "0.1 was applied" in (applied.inner_text() if applied.count() else ""))
    seen = time.monotonic() - moved
    event = next(e for e in reversed(run.events()) if e["event"] == "set_weight")
    assert (event["loss"], event["value"]) == ("alignment", 0.1)
    until(lambda: epoch_of_picture(page) > event["epoch"])
    drawn = time.monotonic() - moved
    print(f"\nweight moved: applied and said so after {seen:.2f} s, new layers drawn after {drawn:.2f} s")
    assert seen < REACTION_SECONDS + SLACK_SECONDS
    assert drawn < REACTION_SECONDS + SLACK_SECONDS

    # Zooming in survives the next pictures.
    page.evaluate(
        "() => Plotly.relayout(document.querySelector('.st-key-training-losses .js-plotly-plot'),"
        " {'xaxis.range': [1, 4]})"
    ) if page.evaluate("() => typeof Plotly !== 'undefined'") else None

    # Pause holds the epoch, resume goes on.
    page.get_by_role("button", name="Pause").first.click()
    until(lambda: run.status.state == "paused")
    held = run.status.epoch
    page.get_by_role("button", name="Resume").first.wait_for()
    time.sleep(1.0)
    assert run.status.epoch == held
    page.get_by_role("button", name="Resume").first.click()
    until(lambda: run.status.epoch > held)

    # The tab is closed; the training goes on, and a new tab finds it.
    page.close()
    left = run.status.epoch
    until(lambda: run.status.epoch >= left + 3)
    page = open_page("/training")
    until(lambda: epoch_of_picture(page) > left)
    assert page.get_by_text("running").first.is_visible()

    # Stopped, it is over for every page.
    page.get_by_role("button", name="Stop").first.click()
    assert jobs.wait(run, timeout=60).state == "stopped"
    page.get_by_text("Look at this run on the page").wait_for()
    page.get_by_test_id("stPageLink").get_by_text("Smoothness").click()
    page.get_by_text(re.compile(rf"{NAME} · rednnd")).first.wait_for()
    assert f"run={NAME}" in page.url
