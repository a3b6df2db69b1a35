"""Node's own test runner tests the chart component's JavaScript; see ``tests/javascript.py``."""

from __future__ import annotations

import re
from pathlib import Path

from app.charts.live_charts import SCRIPTS
from tests import javascript

HERE = Path(__file__).parent


def test_the_scripts_do_what_their_own_tests_say() -> None:
    javascript.run_tests(HERE)


def test_every_script_of_the_component_is_among_those_that_are_tested() -> None:
    tested = (HERE / "scripts.mjs").read_text(encoding="utf-8")
    names = re.search(r"const NAMES = \[(.*)\];", tested)
    assert names
    assert re.findall(r'"([\w.]+)"', names[1]) == [script.name for script in SCRIPTS]
