"""The smoothness page in a real browser: curves, the depth slider, a collapse that can be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.runs import Provenance, RunRecord, create_run
from rednd_core.training.experiment import train_run

NAME = "smooth-light"
MAIN = ".st-key-smoothness-main .js-plotly-plot"
DEEP = ".st-key-smoothness-deep .js-plotly-plot"


@pytest.fixture(scope="module")
def trained(app_home: Path) -> None:
    """A short LightGCN run on the bundled sample, in the server's folder of runs."""
    config = RunConfig(
        model="lightgcn",
        data=DataConfig(path="sample_data/shop"),
        hyperparameters={"embedding_size": 16, "n_layers": 3},
        training=TrainingConfig(epochs=3, device="cpu"),
    )
    record = RunRecord(config=config, provenance=Provenance(seed=1))
    train_run(create_run(app_home / "runs" / NAME, record))


def wait_for_users(page: Any, selector: str, length: int) -> list[float]:
    """The users' MAD as plotly has drawn it, once it has ``length`` points."""
    line = (
        f"document.querySelector('{selector}')?._fullData"
        "?.find(trace => trace.name === 'users' && trace.xaxis === 'x')"
    )
    page.wait_for_function(f"() => ({line})?.y.length === {length}", timeout=120_000)
    return page.evaluate(f"() => Array.from(({line}).y)")


@pytest.mark.usefixtures("trained")
def test_from_the_layers_to_the_collapse(open_page: Callable[..., Any]) -> None:
    page = open_page(f"/smoothness?runs={NAME}")
    layers = wait_for_users(page, MAIN, 4)
    assert 0.5 < layers[0] < 1.1

    page.get_by_role("tab", name="Go deeper").click()
    deep = wait_for_users(page, DEEP, 17)
    assert deep[:4] == pytest.approx(layers, abs=1e-6)

    page.get_by_role("slider", name="Propagate to").press("End")
    deep = wait_for_users(page, DEEP, 33)
    assert deep[32] < 1e-3 * layers[0]
    tile = page.locator('[data-testid="stMetric"]', has_text="MAD users, k = 32")
    shown = tile.locator('[data-testid="stMetricValue"]').inner_text()
    assert float(shown) == pytest.approx(deep[32], rel=0.01)
    page.locator(DEEP).get_by_text("trained depth").first.wait_for()

    # The address bar carries the view.
    page.wait_for_url(re.compile("to_depth=32"))
    page.reload()
    assert wait_for_users(page, DEEP, 33) == deep


@pytest.mark.usefixtures("trained")
def test_a_phone_does_not_scroll_sideways(open_page: Callable[..., Any]) -> None:
    page = open_page(f"/smoothness?runs={NAME}", width=390, height=844)
    wait_for_users(page, MAIN, 4)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    width = page.locator(MAIN).evaluate("figure => figure.getBoundingClientRect().width")
    assert 250 < width <= 390
