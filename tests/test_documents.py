"""What the documents promise: links lead somewhere, commands can be typed, pins and ranges agree."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import typer
from packaging.requirements import Requirement

from app.sitemap import PAGES
from rednd_core.cli.app import app
from rednd_core.config import PROJECT_ROOT
from rednd_core.modeling.registry import CARDS

FOLDERS = ("", ".ci", "app", "benchmarks", "docs", "rednd_core", "sample_data", "tests")
DOCUMENTS = sorted(
    path.relative_to(PROJECT_ROOT).as_posix()
    for folder in FOLDERS
    for path in (PROJECT_ROOT / folder).glob("**/*.md" if folder else "*.md")
)
SET_UP = (
    "pip install -r requirements.txt && streamlit run app/Home.py",
    "pip install -r requirements-dev.txt && python -m pytest",
)


def text_of(document: str) -> str:
    return (PROJECT_ROOT / document).read_text(encoding="utf-8")


def typed_lines(text: str) -> list[str]:
    """Lines of the fenced shell blocks; a line that ends in a backslash goes on in the next one."""
    blocks = re.findall(r"```(?:bash|console|sh)\n(.*?)```", text, re.DOTALL)
    lines = (line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [line for line in lines if line]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_all_documents_are_looked_at() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/architecture.md"} <= set(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    here = PROJECT_ROOT / document
    text = re.sub(r"```.*?```", "", text_of(document), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):  # an address outside of the project
            continue
        name, _, anchor = target.partition("#")
        found = (here.parent / name).resolve() if name else here
        assert found.exists(), f"{document} links to {target}"
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d != "CHANGELOG.md"])
def test_files_of_code_that_are_named_are_there(document: str) -> None:
    """Within a folder of the project, or of one of its packages."""
    folders = [PROJECT_ROOT / name for name in ("", "rednd_core", "app", "docs", "benchmarks")]
    for name in re.findall(r"`([\w./]+/[\w.]+\.(?:py|js|toml|sh))`", text_of(document)):
        if not re.search("dampedgcn|NAME|N_Name", name):  # the example of CONTRIBUTING.md
            assert any((folder / name).is_file() for folder in folders), f"{document} names {name}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_can_be_typed(document: str) -> None:
    """Every word is a command, every option is one of that command."""
    for line in typed_lines(text_of(document)):
        if not line.startswith("rednd "):
            continue
        command: click.Command = typer.main.get_command(app)
        words = shlex.split(line, comments=True)[1:]
        while words and (subcommands := getattr(command, "commands", None)):
            assert words[0] in subcommands, f"{document}: {line}"
            command = subcommands[words.pop(0)]
        known = {option for parameter in command.params for option in parameter.opts}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known | {"--help"}, f"{document}: {line}"


def test_two_lines_set_a_fresh_machine_up() -> None:
    lines = [line for line in typed_lines(text_of("README.md")) if "pip install" in line]
    assert tuple(lines) == SET_UP
    assert SET_UP[1] in text_of(".ci/run").splitlines(), "CI calls the line as it is written"


def test_the_readme_lists_the_pages_and_the_documents_the_models() -> None:
    listed = re.findall(r"^\| ([A-Z][\w ]+) \|", text_of("README.md"), re.MULTILINE)
    assert {"Home", *(title for _, title, _ in PAGES.values())} <= set(listed)
    models = re.findall(r"^\| \[?`(\w+)`", text_of("docs/models.md"), re.MULTILINE)
    assert set(CARDS) <= set(models)


def pins(name: str) -> dict[str, Requirement]:
    """The packages of a requirements file, without those of the files that it includes."""
    lines = (line.partition("#")[0].strip() for line in text_of(name).splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return {requirement.name: requirement for requirement in found}


def test_requirements_are_exact_and_within_the_ranges_of_the_package() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    ranges = [*project["dependencies"], *project["optional-dependencies"]["app"]]
    user, developer = pins("requirements.txt"), pins("requirements-dev.txt")
    for pinned in (*user.values(), *developer.values()):
        assert [each.operator for each in pinned.specifier] == ["=="], pinned
    for wanted in map(Requirement, ranges):
        (exact,) = user[wanted.name].specifier
        assert wanted.specifier.contains(exact.version), f"{wanted} does not allow {exact}"
    assert not user.keys() & developer.keys(), "requirements-dev.txt includes requirements.txt"


def test_a_user_needs_nothing_that_only_tests_import() -> None:
    """What the app and the core import by name is not left to requirements-dev.txt."""
    only_tests = {name.replace("-", "_") for name in pins("requirements-dev.txt")}
    for folder in ("app", "pages", "rednd_core"):
        for path in sorted((PROJECT_ROOT / folder).rglob("*.py")):
            imported = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text("utf-8"), re.M)
            assert not only_tests & set(imported), _name(path)


def _name(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()
