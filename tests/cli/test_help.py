"""Every screen of help shows how the command is typed; what it shows can be typed."""

from __future__ import annotations

import re

import click
import pytest
import typer

from rednd_core.cli.app import app


def screens(command: click.Command, path: tuple[str, ...] = ()) -> dict[str, click.Command]:
    """Words after ``rednd`` -> command or group, all levels."""
    found = {" ".join(path): command}
    for name, sub in getattr(command, "commands", {}).items():
        found |= screens(sub, (*path, name))
    return found


SCREENS = screens(typer.main.get_command(app))


def examples(command: click.Command) -> list[str]:
    return re.findall(r"`((?:rednd|torchrun) [^`]*)`", command.help or "")


def test_all_commands_are_looked_at() -> None:
    assert {"", "runs", "data", "runs delete", "data check", "train", "bench"} <= set(SCREENS)


@pytest.mark.parametrize("words", SCREENS)
def test_a_screen_has_examples(words: str) -> None:
    command = SCREENS[words]
    shown = examples(command)
    assert shown, f"rednd {words} --help has no example"
    assert re.search(r"^Examples?:", command.help, re.MULTILINE), "on lines of their own"
    assert any(example.startswith(f"rednd {words}".strip()) for example in shown)


@pytest.mark.parametrize("words", SCREENS)
def test_examples_have_options_that_exist(words: str) -> None:
    for example in examples(SCREENS[words]):
        if not example.startswith("rednd "):
            continue
        typed = example.split()[1:]
        deepest = max(
            (name for name in SCREENS if typed[: len(name.split())] == name.split()), key=len
        )
        known = {option for param in SCREENS[deepest].params for option in param.opts}
        assert {word for word in typed if word.startswith("--")} <= known, example


def test_commands_with_json_are_those_that_the_readme_names() -> None:
    from rednd_core.config import PROJECT_ROOT

    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"those that print figures \(([^)]*)\) print JSON with `--json`", text)
    with_json = {
        words
        for words, command in SCREENS.items()
        if any("--json" in param.opts for param in command.params)
    }
    assert set(re.findall(r"`([^`]+)`", listed)) == with_json


def test_help_is_printed(rednd) -> None:
    result = rednd("runs", "--help")
    assert result.code == 0
    assert "Examples:" in result.out
    assert "rednd runs export shop-lightgcn lightgcn.zip" in result.out
