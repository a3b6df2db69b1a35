"""Node's own test runner tests what of the lessons' JavaScript needs no browser."""

from __future__ import annotations

import re
from pathlib import Path

from rednd_core.lessons import OF_STAGE, SCRIPTS, scripts
from tests import javascript

HERE = Path(__file__).parent


def test_the_scripts_do_what_their_own_tests_say() -> None:
    javascript.run_tests(HERE)


def test_every_script_of_a_lesson_is_among_those_that_are_tested() -> None:
    told = (HERE / "lesson.test.mjs").read_text("utf-8")
    for name, expected in (("STAGE", OF_STAGE), ("NAMES", SCRIPTS)):
        names = re.search(rf"const {name} = \[(.*)\];", told)
        assert names
        assert tuple(re.findall(r'"([\w.]+)"', names[1])) == expected


def test_the_scripts_hold_no_address() -> None:
    assert "://" not in scripts()
