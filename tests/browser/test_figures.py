"""What all figures have in common in a real browser, on the bundled runs: room, toolbar, files."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

MAPS, LINES = ".st-key-home-pca", ".st-key-home-mad"

# Panels of a figure in pixels, and what they show: {left, top, width, height, range}.
PANELS = """selector => {
  const plot = document.querySelector(`${selector} .js-plotly-plot`);
  const layout = plot?._fullLayout;
  if (!layout?._plots) return [];
  return Object.values(layout._plots).map(({ xaxis, yaxis }) => ({
    left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length,
    range: [...xaxis.range, ...yaxis.range] }));
}"""
OVERLAPS = """selector => {
  const boxes = [...document.querySelectorAll(`${selector} .annotation`)].map(
    note => note.getBoundingClientRect());
  return boxes.some((a, i) => boxes.some((b, k) => i < k && a.left < b.right && b.left < a.right &&
    a.top < b.bottom && b.top < a.bottom));
}"""


def drawn(page: Any, selector: str = MAPS, n: int = 0) -> list[dict[str, Any]]:
    """The panels, once there are ``n`` of them (0: any)."""
    page.wait_for_function(
        f"([selector, n]) => {{ const found = ({PANELS})(selector).length;"
        " return found && (!n || found === n) }",
        arg=[selector, n],
    )
    return page.evaluate(PANELS, selector)


def are_square(panels: list[dict[str, Any]]) -> bool:
    return all(abs(panel["width"] - panel["height"]) < 2 for panel in panels)


def test_another_map_is_drawn_as_on_a_direct_visit(open_page: Callable[..., Any]) -> None:
    wanted = drawn(open_page("/?deep=false"), n=8)
    page = open_page("/")
    assert len(drawn(page, n=8)) == 8
    page.get_by_text("Keep propagating to layer").click()
    page.locator(".annotation-text", has_text="layer 2").first.wait_for()
    for panel, direct in zip(drawn(page, n=8), wanted, strict=True):
        assert panel["range"] == pytest.approx(direct["range"])
        assert panel["width"] == pytest.approx(direct["width"], abs=1)


@pytest.mark.parametrize(("width", "columns"), [(1440, 4), (390, 3), (320, 2)])
def test_maps_fill_the_width_without_gaps(
    open_page: Callable[..., Any], width: int, columns: int
) -> None:
    page = open_page("/", width=width, height=844)
    panels = drawn(page, n=8)
    assert are_square(panels)
    assert len({round(panel["left"]) for panel in panels}) == columns
    tops = sorted({round(panel["top"]) for panel in panels})
    headings = 94 + 16
    assert tops[1] - tops[0] == pytest.approx(panels[0]["height"] + headings, abs=2)
    assert not page.evaluate(OVERLAPS, MAPS)
    figure = page.locator(f"{MAPS} figure").bounding_box()
    right = max(panel["left"] + panel["width"] for panel in panels)
    assert right > 0.95 * figure["width"]


def test_maps_are_arranged_anew_in_another_width_and_in_full_screen(
    open_page: Callable[..., Any],
) -> None:
    page = open_page("/", width=1440, height=900)
    wide = drawn(page, n=8)
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function(
        f"width => ({PANELS})('{MAPS}')[0].width < 0.8 * width", arg=wide[0]["width"]
    )
    narrow = drawn(page, n=8)
    assert are_square(narrow)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(
        f"width => ({PANELS})('{MAPS}')[0].width > 0.98 * width", arg=wide[0]["width"]
    )
    figure = page.locator(f"{MAPS} figure")
    figure.hover()
    figure.locator("[data-title=Fullscreen]").click()
    page.wait_for_function(
        f"width => ({PANELS})('{MAPS}')[0].width > 1.5 * width", arg=wide[0]["width"]
    )
    full = drawn(page, n=8)
    assert are_square(full)
    assert max(panel["top"] + panel["height"] for panel in full) < 900
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function(
        f"width => ({PANELS})('{MAPS}')[0].width < 1.1 * width", arg=wide[0]["width"]
    )
    assert [panel["range"] for panel in drawn(page, n=8)] == [panel["range"] for panel in wide]


def test_the_toolbar_is_one_stop_uploads_nothing_and_covers_nothing(
    open_page: Callable[..., Any],
) -> None:
    page = open_page("/")
    drawn(page, n=8)
    drawn(page, LINES)
    for selector in (MAPS, LINES):
        figure = page.locator(f"{selector} figure")
        buttons = figure.locator(".modebar-btn")
        titles = [button.get_attribute("data-title") for button in buttons.all()]
        assert "Save as PNG" in titles
        assert not [title for title in titles if "hare" in title or "loud" in title]
        figure.hover()
        bar = figure.locator(".modebar").bounding_box()
        assert bar["y"] + bar["height"] <= figure.locator(".main-svg").first.bounding_box()["y"] + 1

    bar = page.locator(f"{MAPS} .modebar-btn")
    bar.first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.title") == bar.nth(1).get_attribute(
        "data-title"
    )
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.title") == "Fullscreen"
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.classList.contains('modebar-btn')")


def test_a_saved_picture_stands_alone(open_page: Callable[..., Any]) -> None:
    page = open_page("/", dark=True)
    drawn(page, n=8)
    figure = page.locator(f"{MAPS} figure")
    figure.hover()
    with page.expect_download() as download:
        figure.locator('[data-title="Save as PNG"]').click()
    assert download.value.suggested_filename == "layers-pca.png"
    picture = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    drawn_size = page.locator(f"{MAPS} .main-svg").first.bounding_box()
    assert picture.width == pytest.approx(2 * drawn_size["width"], abs=2)
    head = picture.height - round(2 * drawn_size["height"])
    assert head >= 2 * 22, "a line of words above"
    pixels = np.asarray(picture.convert("RGB"), dtype=int)
    assert (pixels[-1, 0] == 255).all()
    words = pixels[:head]
    assert words.min() < 60, "dark"
    assert words.max() == 255, "on white"


def test_a_downloaded_page_uses_the_width(open_page: Callable[..., Any], tmp_path: Path) -> None:
    page = open_page("/")
    drawn(page, n=8)
    with page.expect_download() as download:
        page.get_by_role("button", name="Interactive figure (HTML)").first.click()
    file = tmp_path / "maps.html"
    download.value.save_as(file)
    page.goto(file.as_uri())
    page.wait_for_function(f"() => ({PANELS})('body')[0]?.width > 300")  # four in a row of 1440
    panels = drawn(page, "body", n=8)
    assert are_square(panels)
    assert max(panel["left"] + panel["width"] for panel in panels) > 1350
    told = page.locator("body").inner_text()
    for name in ("shop-rednnd-a0", "shop-rednnd-a0.1"):
        assert f"Run {name}: RedNⁿD on shop" in told
    assert page.locator("[data-title*=Share]").count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_text_of_figures_has_the_ink_of_the_page(open_page: Callable[..., Any], dark: bool) -> None:
    """No one colour can be read on both a light and a dark page (WCAG: 4.5:1)."""
    page = open_page("/", dark=dark)
    drawn(page)
    fills, ink, paper = page.evaluate(
        """selector => {
          const texts = document.querySelectorAll(`${selector} :is(.infolayer, .xtick, .ytick) text`);
          const rgb = color => color.match(/[0-9]+/g).slice(0, 3).map(Number);
          const body = getComputedStyle(document.querySelector(".stApp"));
          return [[...texts].map(text => rgb(getComputedStyle(text).fill)), rgb(body.color),
            rgb(body.backgroundColor)];
        }""",
        LINES,
    )
    assert len(fills) > 10
    assert {tuple(fill) for fill in fills} == {tuple(ink)}
    luminances = sorted(_luminance(color) for color in (ink, paper))
    assert (luminances[1] + 0.05) / (luminances[0] + 0.05) >= 4.5


def _luminance(color: list[int]) -> float:
    shares = [part / 255 for part in color]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
