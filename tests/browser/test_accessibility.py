"""axe-core on every page, light and dark, on a desktop and on a phone: no serious fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from app.sitemap import PAGES

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
GRAVE = ("serious", "critical")
ALSO = ("heading-order",)  # axe calls a jump of headings moderate
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATHS = [
    "/",
    *(f"/{name}" for name in PAGES),
    # Parts that a page shows only when they are asked for.
    "/embeddings?run=shop-rednnd-a0&vs=shop-rednnd-a0.1&node=item:412&color=degree",
    "/embeddings?show=animation",
    "/depth?run=shop-rednnd-a0&vs=shop-rednnd-a0.1&depth=16",
    "/smoothness?smoothness_part=Go+deeper&smoothness_misleads=true",
]
TITLES = {"/": "Home"} | {f"/{name}": title for name, (_, title, _) in PAGES.items()}


def faults(page: Any) -> list[str]:
    """One line a fault: its rule, how grave it is, and the first element that has it."""
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{fault['id']} ({fault['impact']}, {len(fault['nodes'])} times): "
        f"{fault['nodes'][0]['html'][:200]} {fault['nodes'][0]['failureSummary'][:300]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE or fault["id"] in ALSO
    ]


# A page is still when no script runs and no element is dimmed. Streamlit dims the elements that a running
# script is about to replace.
STILL = """() => document.querySelector('[data-test-script-state="notRunning"]')
    && !document.querySelector('[data-testid="stStatusWidget"], [data-stale=true]')
    && [...document.querySelectorAll('[data-testid="stElementContainer"]')]
        .every(element => getComputedStyle(element).opacity === '1')"""
BACKGROUND = "() => getComputedStyle(document.querySelector('.stApp')).backgroundColor"


def settle(page: Any) -> None:
    page.locator("h1").wait_for()
    for _ in range(2):  # A page that is still for a moment may go on.
        page.wait_for_function(STILL)
        page.wait_for_timeout(300)
    page.wait_for_function(STILL)


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_no_serious_fault(open_page: Callable[..., Any], path: str) -> None:
    page = open_page(path, **DESKTOP)
    settle(page)
    expected = f"{TITLES[path]} · RedNⁿD" if path in TITLES else page.title()
    assert page.title() == expected, "tabs of a browser tell the pages apart"
    page.add_script_tag(path=str(AXE))
    found, light = [], page.evaluate(BACKGROUND)
    # Colours do not depend on the width, so one theme is enough on a phone.
    for scheme, size in (("light", DESKTOP), ("dark", DESKTOP), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(size)
        page.wait_for_function(
            f"light => (({BACKGROUND})() === light) === {str(scheme == 'light').lower()}", arg=light
        )
        page.wait_for_timeout(500)
        settle(page)
        found += [f"{scheme}, {size['width']} px: {fault}" for fault in faults(page)]
    assert found == []


def test_axe_would_find_a_fault(open_page: Callable[..., Any]) -> None:
    page = open_page("/data", **DESKTOP)
    settle(page)
    page.add_script_tag(path=str(AXE))
    page.evaluate(
        """() => {
          const main = document.querySelector('[data-testid=stMain] h1').parentElement;
          main.insertAdjacentHTML('beforeend', '<p style="color:#999;background:#fff">pale</p>'
            + '<img src="data:,"><h5>a jump</h5>');
        }"""
    )
    rules = {line.split(" ")[0] for line in faults(page)}
    assert {"color-contrast", "image-alt", "heading-order"} <= rules
