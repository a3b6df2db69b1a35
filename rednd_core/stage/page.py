"""The stage as one HTML file, for a phone or a laptop without this app and without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from rednd_core import wording
from rednd_core.stage import COLORS, STYLE, scripts
from rednd_core.stage.contents import RECALL_K, StageRun

# Nothing may be loaded or sent: all that the page needs is in the file.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
PAGE_STYLE = f"""
:root {{ --users: {COLORS["users"]}; --items: {COLORS["items"]}; --ring: {COLORS["accent"]};
  --hit: {COLORS["hit"]}; color-scheme: light dark; }}
body {{ margin: 0 auto; padding: 12px 16px; max-width: 1400px; background: #FFFFFF; color: #1D1A26;
  font: 17px/1.45 "Source Sans", "Open Sans", verdana, arial, sans-serif; }}
h1 {{ font-size: 26px; margin: 0 0 4px; }} h2 {{ font-size: 21px; margin: 18px 0 4px; }}
p {{ margin: 4px 0; }} summary {{ cursor: pointer; padding: 6px 0; }}
@media screen and (prefers-color-scheme: dark) {{
  body {{ background: #14121A; color: #F1EEF7; --st-text-color: #F1EEF7; --st-background-color: #14121A;
    --st-secondary-background-color: #211E2B; --st-primary-color: #8657F0; }}
}}
"""


@dataclass(frozen=True)
class Part:
    """A piece of an offline page: its style sheet, its HTML, and the script that runs after all HTML."""

    style: str
    body: str
    script: str


def offline_page(title: str, about: str, parts: Sequence[Part]) -> str:
    """One HTML file of a few hundred kilobytes to a few megabytes.

    Args:
        title, about: plain text: a heading, and what the page shows.
        parts: one below the other. Their scripts share no names with each other.
    """
    style = "".join(part.style for part in parts)
    body = "".join(part.body for part in parts)
    script = "\n".join(f"{{ {part.script} }}" for part in parts)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}{style}</style></head>"
        f"<body><h1>{escape(title)}</h1><p>{escape(about)}</p>{body}"
        f"<script>{script}</script></body></html>"
    )


def in_script(data: Any) -> str:
    """JSON inside a script: a title may hold "</script>", so no "<" of the data is one of the page."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def stage_part(payload: dict[str, Any], runs: list[StageRun], depth: int) -> Part:
    """The stage, and questions below it.

    Args:
        payload: of ``stage_payload``. runs: the same runs, for the questions.
        depth: that the stage begins with.
    """
    start = json.dumps({"depth": depth, "user": "", "method": "pca"})
    questions = "".join(
        f"<details><summary>{escape(question)}</summary><p>{escape(answer)}</p></details>"
        for question, answer in questions_of(runs)
    )
    return Part(
        STYLE.read_text(encoding="utf-8"),
        f"<div id='stage'></div><h2>Guess first, then look</h2>{questions}",
        f"{scripts()}\nnew Stage(document.getElementById('stage'), {in_script(payload)}, "
        f"{{ colors: {json.dumps(COLORS)}, start: {start} }});",
    )


def questions_of(runs: list[StageRun]) -> list[tuple[str, str]]:
    """Questions to guess at, and the answers in numbers of these runs."""
    found = []
    for run in runs:
        last = run.n_steps - 1
        whose = f" in {run.title}" if len(runs) > 1 else ""
        if len(run.recall):
            best = int(run.recall["value"].to_numpy().argmax())
            value = {k: wording.metric(run.recall["value"][k]) for k in (0, best, last)}
            found.append(
                (
                    f"At which depth is Recall@{RECALL_K} highest{whose}?",
                    f"At depth {best}: {value[best]}. At depth 0 it is {value[0]}, at depth "
                    f"{last} it is {value[last]}. These lists come from the vectors of one "
                    f"depth alone, for {int(run.recall['n'][0]):,} users with validation items.",
                )
            )
        mad = run.measures[run.measures["measure"] == "mad"]
        ends = {k: mad[mad["layer"] == k].set_index("side")["value"] for k in (0, last)}
        found.append(
            (
                f"How much of the distance between two users is left at depth {last}{whose}?",
                f"The MAD of users goes from {wording.measure(ends[0]['users'])} to "
                f"{wording.measure(ends[last]['users'])}, that of items from "
                f"{wording.measure(ends[0]['items'])} to {wording.measure(ends[last]['items'])}.",
            )
        )
    return found
