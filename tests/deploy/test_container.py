"""The container file, checked plainly: nothing here builds it."""

from __future__ import annotations

import json
import re
import shlex

from rednd_core.config import PROJECT_ROOT

FILE = PROJECT_ROOT / "deploy" / "Containerfile"
KNOWN = {
    *("FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"),
}


def instructions() -> list[tuple[str, str]]:
    """(name, arguments) of each instruction, continued lines joined, comments left out."""
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]  # type: ignore[misc]


def all_of(name: str) -> list[str]:
    return [arguments for found, arguments in instructions() if found == name]


def test_every_instruction_is_known_and_the_base_comes_first() -> None:
    assert {name for name, _ in instructions()} <= KNOWN
    assert instructions()[0][0] == "FROM"
    (base,) = all_of("FROM")
    assert re.fullmatch(r"[a-z.]+/[a-z/]+:\d+\.\d+-[a-z-]+", base), "a registry and a version"


def test_what_is_copied_is_there_and_let_through() -> None:
    ignored = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "**"
    for line in all_of("COPY"):
        *sources, _target = shlex.split(line)
        for source in sources:
            assert (PROJECT_ROOT / source).exists()
            assert f"!{source.removeprefix('./')}" in ignored


def test_it_runs_without_rights_and_in_public_mode() -> None:
    names = [name for name, _ in instructions()]
    assert names.index("USER") > names.index("RUN"), "what is installed is not writable"
    (user,) = all_of("USER")
    assert user.isdecimal(), "a number, so that orchestrators can see that it is not root"
    assert int(user) > 0
    environment = dict(part.split("=", 1) for part in shlex.split(all_of("ENV")[0]))
    assert environment["REDND_PUBLIC"] == "1"
    assert environment["STREAMLIT_SERVER_ADDRESS"] == "0.0.0.0"


def test_commands_need_no_shell_and_start_the_app() -> None:
    (command,) = all_of("CMD")
    assert json.loads(command) == ["streamlit", "run", "app/Home.py"]
    (check,) = all_of("HEALTHCHECK")
    probe = json.loads(check.removeprefix("CMD "))
    compile(probe[2], "healthcheck", "exec")
