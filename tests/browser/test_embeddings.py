"""Clicking and lassoing real points of a real figure, with a run on the bundled sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import Dataset, load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.projection import neighbours
from rednd_core.runs import ModelFacts, Provenance, RunRecord, create_run
from rednd_core.smoothness import propagate_depth
from rednd_core.training.experiment import data_facts

NAME = "planted"

# The point of the first panel that lies farthest from the middle, on the screen.
FARTHEST = """() => {
  const figure = document.querySelector('.st-key-map-pca .js-plotly-plot');
  const {xaxis, yaxis} = figure._fullLayout;
  const area = figure.querySelector('.nsewdrag').getBoundingClientRect();
  let best = null;
  for (const trace of figure._fullData.filter(t => t.xaxis === 'x'))
    for (let i = 0; i < trace.x.length; i++) {
      const [left, top] = [xaxis.l2p(trace.x[i]), yaxis.l2p(trace.y[i])];
      const far = Math.hypot(left - area.width / 2, top - area.height / 2);
      if (!best || far > best.far)
        best = {far, x: area.left + left, y: area.top + top, node: trace.customdata[i]};
    }
  return best;
}"""


# The map that was there, not a new one, marks what was chosen.
RINGED = """() => {
  const figure = document.querySelector('.st-key-map-pca .js-plotly-plot');
  return figure.mine && figure._fullData.some(trace => trace.name === 'selected');
}"""

# Whether an element lies on the screen.
ON_SCREEN = """selector => {
  const { top, bottom } = document.querySelector(selector).getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""


@pytest.fixture(scope="module")
def planted(app_home: Path) -> tuple[Dataset, list[np.ndarray]]:
    """A finished run of random vectors, propagated; the sample shop and the layers."""
    data = load_dataset("sample_data/shop")
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    start = np.random.default_rng(0).normal(size=(graph.n_nodes, 16))
    layers = [x.astype(np.float32) for x in propagate_depth(start, graph, 2)]
    facts = data_facts(data)
    shape = ModelFacts.uniform(("id",), 2, 16)
    config = RunConfig(model="lightgcn", data=DataConfig(path="sample_data/shop"))
    record = RunRecord(config=config, provenance=Provenance(seed=0), data=facts, model=shape)
    writer = create_run(app_home / "runs" / NAME, record)
    users, items = layers[2][: data.n_users], layers[2][data.n_users :]
    writer.save_layers({"id": layers}, users, items, epoch=1)
    writer.status("finished", epoch=1, best_epoch=1)
    return data, layers


def open_map(open_page: Callable[..., Any], path: str, **screen: Any) -> Any:
    page = open_page(path, **screen)
    figure = page.locator(".st-key-map-pca .js-plotly-plot")
    figure.locator(".nsewdrag").first.wait_for()
    figure.scroll_into_view_if_needed()
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
    return page


def test_click_and_lasso_lead_to_true_neighbours(open_page, planted) -> None:
    data, layers = planted
    page = open_map(open_page, "/embeddings?layers=0&layers=2")

    # A click on a point opens the card of that very node.
    point = page.evaluate(FARTHEST)
    page.mouse.move(point["x"], point["y"])
    page.locator(".hoverlayer .hovertext").wait_for()
    page.evaluate("() => { document.querySelector('.st-key-map-pca .js-plotly-plot').mine = 1 }")
    page.mouse.click(point["x"], point["y"])
    card = page.locator(".st-key-node-card")
    card.wait_for()
    page.wait_for_function(RINGED)
    node = point["node"]
    is_user = node < data.n_users
    own_id = data.user_ids[node] if is_user else data.item_ids[node - data.n_users]
    kind = "user" if is_user else "item"
    assert f"{kind} id: {own_id}" in card.inner_text()
    assert f"node={kind}%3A{own_id}" in page.url

    # The line above the maps says so on the screen as it is, and leads to the card and back.
    bar = page.locator(".st-key-selection")
    assert f"{kind} {own_id}" in bar.inner_text()
    assert 0 <= bar.bounding_box()["y"] < 900
    title = card.locator("#node-card")
    assert title.bounding_box()["y"] > 900, "far below the fold"
    bar.get_by_role("link").click()
    page.wait_for_function(ON_SCREEN, arg="#node-card")
    card.get_by_role("link", name="Back to the maps").click()
    page.wait_for_function(ON_SCREEN, arg=".st-key-selection")

    # The neighbours are those of the original space; the file says so with original ids.
    pool = np.arange(data.n_users) if is_user else np.arange(data.n_users, len(layers[0]))
    near, _ = neighbours(layers[2], node, 10, pool)
    ids = np.concatenate([data.user_ids, data.item_ids])
    with page.expect_download() as download:
        card.get_by_role("button", name="Neighbours").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert rows[0] == "layer,rank,type,id,title,cosine"
    found = [row.split(",")[3] for row in rows if row.startswith("2,")]
    assert found == [str(ids[other]) for other in near]

    # A lasso around the middle of a panel selects a group.
    figure = page.locator(".st-key-map-pca .js-plotly-plot")
    figure.scroll_into_view_if_needed()
    figure.hover()
    figure.locator('[data-val="lasso"]').click()
    area = figure.locator(".nsewdrag").first.bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x - 30, y - 30)
    page.mouse.down()
    for dx, dy in ((30, -30), (30, 30), (-30, 30), (-30, -30)):
        page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()
    group = page.locator(".st-key-node-group")
    group.wait_for()
    assert "selected nodes" in group.inner_text()


def test_a_permalink_opens_the_same_view_elsewhere(open_page, planted) -> None:
    path = "/embeddings?layers=0&color=item+category&node=item:412"
    page = open_map(open_page, path, width=390, height=844, dark=True)
    page.locator(".st-key-node-card").get_by_text("SH-0412").wait_for()
    names = page.evaluate(
        "() => document.querySelector('.st-key-map-pca .js-plotly-plot')._fullData.map(t => t.name)"
    )
    assert "Kettles" in names
    assert "selected" in names
    width = "() => document.querySelector('[data-testid=stMain]').scrollWidth"
    assert page.evaluate(width) <= 390


def test_no_line_over_a_panel_runs_into_another_on_a_phone(open_page, planted) -> None:
    page = open_map(open_page, "/embeddings", width=390, height=844)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('.st-key-map-pca .annotation-text .line, '
          + '.st-key-map-pca .gtitle .line, .st-key-map-pca .gtitle')].map(line => {
          const {left, right, top, bottom} = line.getBoundingClientRect();
          return {left, right, top, bottom, text: line.textContent};
        })"""
    )
    lines = [box for box in boxes if "MAD users" in box["text"]]
    assert len(lines) == 3
    assert max(box["right"] for box in boxes) <= 390
    for first, second in zip(lines[::2], lines[1::2], strict=False):
        assert first["right"] < second["left"], (first["text"], second["text"])


def follow(page: Any, title: str) -> None:
    page.locator('[data-testid="stSidebarNav"]').get_by_role("link", name=title).click()
    page.locator("h1", has_text=title).wait_for()


def asks_for(page: Any, run: str) -> None:
    page.wait_for_function(
        "run => location.search.includes(`run=${run}`)"
        " && document.querySelector('.st-key-run input')?.value === run",
        arg=run,
        timeout=30_000,
    )


def settle(page: Any) -> None:
    page.wait_for_selector('[data-test-script-state="notRunning"]')
    page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")


def test_the_address_says_the_run(open_page, planted) -> None:
    page = open_map(open_page, "/embeddings")
    asks_for(page, NAME)

    # A permalink wins over the newest run, and over a change of page.
    page = open_map(open_page, "/embeddings?run=shop-lightgcn")
    asks_for(page, "shop-lightgcn")
    follow(page, "Data")
    follow(page, "Embeddings")
    asks_for(page, "shop-lightgcn")


def test_every_visit_of_a_page_is_one_step_back(open_page, planted) -> None:
    def search(pattern: str) -> None:
        page.wait_for_function(
            "pattern => RegExp(pattern).test(location)", arg=pattern, timeout=30_000
        )

    def choose(run: str) -> None:
        page.get_by_role("combobox", name="Run A", exact=True).click()
        page.get_by_role("option", name=run, exact=True).click()
        asks_for(page, run)

    def visits(n: int) -> None:
        settle(page)
        assert page.evaluate("history.length") == n

    page = open_page("/")
    page.locator("h1", has_text="See over-smoothing happen").wait_for()
    settle(page)
    before = page.evaluate("history.length")
    follow(page, "Embeddings")
    asks_for(page, NAME)
    visits(before + 1)
    # What is chosen by hand belongs to the visit, and another page does not take it along in the past.
    choose("shop-lightgcn")
    visits(before + 1)
    follow(page, "Smoothness")
    search("/smoothness.*run=shop-lightgcn")
    visits(before + 2)
    follow(page, "Recommend")
    search("/recommendations.*user=")
    settle(page)
    choose(NAME)
    visits(before + 3)
    follow(page, "Embeddings")
    asks_for(page, NAME)
    choose("shop-lightgcn")
    visits(before + 4)

    for address in (f"/recommendations.run={NAME}.*user=", "/smoothness.*run=shop-lightgcn"):
        page.go_back()
        search(address)
        settle(page)
    page.go_back()
    search("/embeddings")
    asks_for(page, "shop-lightgcn")
    page.go_forward()
    search("/smoothness.*run=shop-lightgcn")
    settle(page)
    for _ in range(2):
        page.go_back()
        settle(page)
    page.locator("h1", has_text="See over-smoothing happen").wait_for()
    visits(before + 4)
