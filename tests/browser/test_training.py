"""The demonstration in class, in a real browser with a real training on the bundled sample."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rednd_core import jobs
from rednd_core.config import PROJECT_ROOT
from rednd_core.runs import Run, RunStore

NAME = "demo"
REACTION_SECONDS = 2.0  # what the page promises; reported, as test machines differ


@pytest.fixture(scope="module")
def store(app_home: Path) -> Iterator[RunStore]:
    """The server's own runs; whatever still trains at the end is killed."""
    store = RunStore(app_home / "runs")
    yield store
    for entry in store.list():
        if entry.status and entry.status.is_live:
            jobs.kill(entry.run)


ZOOM, RANGE = [1, 4], "e._fullLayout.xaxis.range"


def until(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.05)
    return found


def zoom(page: Any) -> bool:
    """Whether the zoom took: a page that is just drawing the chart again may undo it."""
    in_plot(page, "losses", f"Plotly.relayout(e, {{'xaxis.range': {ZOOM}}}) && 0")
    page.wait_for_timeout(500)
    return in_plot(page, "losses", RANGE) == ZOOM


def choose(page: Any, box: Any, name: str) -> bool:
    """Whether the option could be chosen: an open list closes when its page still scrolls to it."""
    from playwright.sync_api import TimeoutError

    box.click()
    option = page.get_by_role("option", name=name, exact=True)
    with suppress(TimeoutError):
        option.click(timeout=3_000)
    return box.input_value() == name


def epoch_of_picture(page: Any) -> int:
    """The epoch in the caption of the layers' map; -1 while there is none."""
    caption = page.locator("[data-chart=layers] figcaption")
    found = re.search(r"after epoch (\d+)", caption.inner_text()) if caption.count() else None
    return int(found[1]) if found else -1


def in_plot(page: Any, chart: str, expression: str) -> Any:
    """``expression`` of the chart's plotly element ``e``."""
    plot = page.locator(f"[data-chart={chart}] .js-plotly-plot")
    return plot.evaluate(f"e => {expression}")


def weight_slider(page: Any, run: str = NAME) -> Any:
    """The newest slider: for some frames Streamlit has the one that it replaces, hidden, behind it."""
    key = f"[class*=st-key-training-weight-{run.replace('.', '-')}-alignment]"
    return page.locator(key).get_by_role("slider").first


def marks(page: Any) -> int:
    return int(in_plot(page, "smoothness", "(e.layout.shapes || []).length"))


def open_form(page: Any) -> None:
    """The form stands behind the picture of the newest run."""
    page.locator("[data-chart=losses]").wait_for()
    page.get_by_text("Start a new training").click()


def test_a_number_outside_its_bounds_never_starts_another_one(
    open_page: Callable[..., Any],
) -> None:
    page = open_page("/training")
    open_form(page)
    start = page.get_by_role("button", name="Start training")
    start.wait_for()
    field = page.get_by_label("Embedding size", exact=True)
    field.fill("0")
    field.press("Enter")
    page.get_by_text("A number marked red").wait_for()
    assert not start.is_visible()
    field.fill("16")
    field.press("Enter")
    start.wait_for()
    assert not page.get_by_text("A number marked red").is_visible()


def test_a_path_that_begins_with_the_chosen_one_is_taken_whole(
    open_page: Callable[..., Any],
) -> None:
    page = open_page("/training")
    open_form(page)
    field = page.get_by_role("textbox", name="Another folder or file")
    field.press_sequentially("sample_data/shop/items.tsv")
    field.press("Enter")
    box = page.get_by_role("combobox", name="Data set", exact=True)
    until(lambda: box.input_value() == "sample_data/shop/items.tsv")


def test_a_deleted_run_is_neither_watched_nor_followed_by_the_next_one(
    open_page: Callable[..., Any], store: RunStore
) -> None:
    bundled = next((PROJECT_ROOT / "sample_data" / "shop" / "runs").iterdir())
    for name in ("first", "second"):
        shutil.copytree(bundled, store.root / name)
    page = open_page("/training?job=first")
    watched = page.get_by_role("combobox", name="Run to watch")
    until(lambda: watched.input_value() == "first")
    page.get_by_text("Manage runs: delete").click()
    chosen = page.get_by_role("combobox", name="Run", exact=True)
    until(lambda: choose(page, chosen, "first"))
    page.get_by_role("button", name="Delete …").click(timeout=30_000)
    page.get_by_role("button", name="Yes, delete it").click()
    page.get_by_text("first was deleted.").wait_for()
    assert page.get_by_role("button", name="Yes, delete it").count() == 0
    assert chosen.input_value() == ""
    page.get_by_text("The run first was deleted").wait_for()
    until(lambda: watched.input_value() == "second")
    page.wait_for_url(re.compile(r"job=second(&|$)"))
    store.delete("second")


def test_the_demonstration(open_page: Callable[..., Any], store: RunStore) -> None:
    page = open_page("/training")
    open_form(page)
    page.get_by_role("textbox", name="Name of the run").fill(NAME)
    page.get_by_role("textbox", name="Name of the run").press("Enter")
    page.get_by_label("Embedding size", exact=True).fill("16")  # short epochs
    page.get_by_label("Embedding size", exact=True).press("Enter")
    page.get_by_role("button", name="Start training").click()

    # It trains, and every chart of the page moves.
    run = Run(store.root / NAME)
    until(lambda: run.path.exists() and run.status.state == "running")
    page.wait_for_url(re.compile(rf"job={NAME}(&|$)"))
    until(lambda: epoch_of_picture(page) >= 3)
    points = "Array.from(e._fullData[0].x).slice(0, 20)"
    before = in_plot(page, "layers", points)
    until(lambda: in_plot(page, "layers", points) != before)
    for chart in ("smoothness", "layers", "losses", "validation", "weight-alignment"):
        assert in_plot(page, chart, "e._fullData.length") >= 1

    # What Streamlit fades while it waits to be redrawn stays as it is here.
    fades = page.locator("[data-testid=stElementContainer]:has([data-chart=losses])")
    page.add_style_tag(content=".faded { opacity: 0.33; }")  # a rule of one class, as Streamlit's
    opacity = (
        "e => (e.classList.add('faded'), e.dataset.stale = 'true', getComputedStyle(e).opacity)"
    )
    assert fades.last.evaluate(opacity) == "1"

    # Somebody else looks on.
    other = open_page("/training")
    until(lambda: epoch_of_picture(other) >= 3)

    # The weight is moved while it trains. The zoom of a reader survives what follows.
    until(lambda: zoom(page))
    slider = weight_slider(page)
    slider.focus()
    for _ in range(4):
        slider.press("ArrowRight")
    moved = time.monotonic()
    applied = page.get_by_text(re.compile(r"was applied in epoch \d+, [\d.]+ s after"))
    until(lambda: "0.1 was applied" in (applied.inner_text() if applied.count() else ""))
    said = time.monotonic() - moved
    event = next(e for e in reversed(run.events()) if e["event"] == "set_weight")
    assert (event["loss"], event["value"]) == ("alignment", 0.1)
    until(lambda: marks(page) >= 1)
    marked = time.monotonic() - moved
    until(lambda: marks(other) >= 1)
    seen = time.monotonic() - moved
    # The other window stands at the same weight, and its one key press is one step from there.
    until(lambda: weight_slider(other).get_attribute("aria-valuetext") == "0.1")
    weight_slider(other).focus()
    weight_slider(other).press("ArrowLeft")
    other.get_by_text(re.compile(r"0\.03 was applied in epoch \d+, [\d.]+ s after")).wait_for()
    page.get_by_text(
        re.compile(r"0\.03 was applied in epoch \d+; it was moved in another")
    ).wait_for()
    until(lambda: weight_slider(page).get_attribute("aria-valuetext") == "0.03")
    values = [e["value"] for e in run.events() if e["event"] == "set_weight"]
    assert values[-2:] == [0.1, 0.03]
    other.close()
    until(lambda: epoch_of_picture(page) > event["epoch"])
    drawn = time.monotonic() - moved
    print(
        f"\nweight moved. Said so after {said:.2f} s, marked in the charts after "
        f"{marked:.2f} s, in another tab's after {seen:.2f} s, new layers drawn after {drawn:.2f} s "
        f"(aim: {REACTION_SECONDS:g} s)"
    )
    assert in_plot(page, "losses", RANGE) == ZOOM

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
    page.get_by_text("running").first.wait_for()

    # Stopped, it is over for every page.
    charts_at = page.locator("[data-chart=smoothness]").bounding_box()["y"]
    page.get_by_role("button", name="Stop").first.click()
    assert jobs.wait(run, timeout=120).state == "stopped"
    page.get_by_text("Look at this run on the page").wait_for()
    until(lambda: page.get_by_role("button", name="Stop").count() == 0)
    assert abs(page.locator("[data-chart=smoothness]").bounding_box()["y"] - charts_at) < 100
    row = page.locator(".st-key-training-links").get_by_role("button").all()
    assert len({round(button.bounding_box()["y"]) for button in row}) == 1
    page.get_by_role("button", name="Embeddings").click()
    chosen = page.get_by_role("combobox", name="Run A", exact=True)
    chosen.wait_for()
    until(lambda: chosen.input_value() == NAME)


def test_twins_are_started_steered_and_replayed_side_by_side(
    open_page: Callable[..., Any], store: RunStore
) -> None:
    page = open_page("/training")
    open_form(page)
    page.get_by_role("textbox", name="Name of the run").fill("pair")
    page.get_by_role("textbox", name="Name of the run").press("Enter")
    page.get_by_text("Train twins:").click()
    page.get_by_role("button", name="Start both trainings").click()
    twins = until(
        lambda: (
            found if len(found := [e.run for e in store.list() if "pair" in e.name]) == 2 else []
        )
    )
    first, second = sorted(twins, key=lambda run: -run.config.hyperparameters["alignment_weight"])
    assert first.config.training == second.config.training  # the same seed, so the same batches
    until(lambda: min(run.status.epoch for run in twins) >= 1)

    # One screen, and each has its own slider: what moves one leaves the other alone.
    page.wait_for_function("document.querySelectorAll('[data-chart=losses]').length === 2")
    weight_slider(page, second.name).wait_for()
    weight_slider(page, first.name).focus()
    weight_slider(page, first.name).press("ArrowLeft")
    until(lambda: [e for e in first.events() if e["event"] == "set_weight"])
    assert not [e for e in second.events() if e["event"] == "set_weight"]

    # Stopped, both are replayed in lockstep on the page Depth.
    for run in twins:
        jobs.stop(run)
        assert jobs.wait(run, timeout=120).state == "stopped"
    page.get_by_role("button", name=re.compile("^Replay ")).click()
    page.wait_for_url(re.compile("/depth.*over=epochs"))
    chosen = [page.get_by_role("combobox", name=f"Run {x}", exact=True) for x in "AB"]
    until(lambda: {box.input_value() for box in chosen} == {run.name for run in twins})
