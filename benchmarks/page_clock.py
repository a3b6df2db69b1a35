"""Times of page changes, taken in the browser itself: from the mouse button to the painted picture.

A clock outside the browser also counts its own questions, which wait while the page is busy.
"""

from __future__ import annotations

from typing import Any

PICTURE = ".js-plotly-plot .main-svg"
HOME = ".st-key-home-pca"
PAGES = {  # title of a page -> selector of its first picture
    "Embeddings": ".st-key-map-pca",
    "Smoothness": ".st-key-smoothness-main",
    "Recommendations": ".st-key-recommendations-standing",
    "Live training": "[data-chart=losses]",
    "Data": ".st-key-data-degrees",
}

STILL_MS = 700  # so long without a long task, a running script or a new figure: everything is drawn

_WATCH = """([picture, still]) => {
  globalThis.pageClock = new Promise(done => {
    let began, painted, last;
    const tasks = new PerformanceObserver(list => {
      for (const task of list.getEntries()) last = task.startTime + task.duration;
    });
    tasks.observe({entryTypes: ["longtask"]});
    const busy = () => document.querySelector('[data-testid="stStatusWidget"]');
    const look = () => {
      const now = performance.now();
      if (busy()) last = now;
      if (painted === undefined && document.querySelector(picture)) {
        painted = 0;  // what is in the page now is on the screen after the frame
        requestAnimationFrame(() => setTimeout(() => { painted = last = performance.now(); }));
      }
      if (painted && now - last > still) {
        tasks.disconnect();
        done([painted - began, Math.max(painted, last) - began]);
      } else requestAnimationFrame(look);
    };
    document.addEventListener("mousedown", () => {
      began = last = performance.now();
      look();
    }, {once: true, capture: true});
  });
}"""


def change(page: Any, title: str) -> tuple[float, float]:
    """Click ``title`` in the menu of a Playwright page.

    Returns:
        Seconds from the click until the first picture of the page is painted, and until the last
        long task (50 ms) of drawing it ended.
    """
    place = HOME if title == "Home" else PAGES[title]
    page.evaluate(_WATCH, [f"{place} {PICTURE}", STILL_MS])
    page.locator('[data-testid="stSidebarNav"]').get_by_role("link", name=title).click()
    painted, drawn = page.evaluate("globalThis.pageClock")
    return painted / 1000, drawn / 1000
