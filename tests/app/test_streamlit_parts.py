"""Parts of Streamlit that it does not promise to keep. The app needs them; a newer Streamlit may move them.

``pyproject.toml`` bounds the version for this reason. Raise the bound when these tests pass.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import tomllib
from functools import reduce
from pathlib import Path

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT

SCRIPTS = Path(streamlit.__file__).parent / "static" / "static" / "js"


def moved(part: str, needed: str) -> str:
    """What the reader of a failure has to know, in a sentence."""
    return (
        f"Expected {part} in Streamlit, which {needed}, but Streamlit {streamlit.__version__} has moved it; "
        "find its new place, or keep the older version of Streamlit in pyproject.toml."
    )


@pytest.mark.parametrize(
    ("module", "path", "needed"),
    [
        (
            "streamlit.runtime.scriptrunner",
            "get_script_run_ctx",
            "app/state.py and app/navigation.py ask for the address",
        ),
        (
            "streamlit.runtime.state.query_params",
            "QueryParams.populate_from_query_string",
            "app/navigation.py calls when Back or Forward leads to a page",
        ),
        (
            "streamlit.runtime.state.query_params",
            "QueryParams.set_initial_query_params",
            "app/navigation.py and app/state.py call to correct an address",
        ),
        (
            "streamlit.runtime.state",
            "SafeSessionState.query_params",
            "app/navigation.py and app/state.py open to correct an address",
        ),
        (
            "streamlit.runtime.uploaded_file_manager",
            "UploadedFile",
            "app/training/manage.py takes as the type of an upload",
        ),
        (
            "streamlit.runtime.scriptrunner_utils.script_run_context",
            "_LOGGER",
            "app/warm.py silences while nobody looks",
        ),
    ],
)
def test_a_private_part_is_where_the_app_takes_it(module: str, path: str, needed: str) -> None:
    part = f"{module}.{path}"
    try:
        found = importlib.import_module(module)
        reduce(getattr, path.split("."), found)
    except (ImportError, AttributeError):
        pytest.fail(moved(part, needed))


@pytest.mark.parametrize("name", ["is_history_navigation", "query_string", "session_state"])
def test_a_run_of_the_script_knows_its_address(name: str) -> None:
    from streamlit.runtime.scriptrunner import ScriptRunContext

    fields = inspect.signature(ScriptRunContext).parameters
    part = f"streamlit.runtime.scriptrunner.ScriptRunContext.{name}"
    assert name in fields, moved(part, "app/navigation.py and app/state.py read")


def test_the_logger_that_is_silenced_has_the_name_of_its_module() -> None:
    module = importlib.import_module("streamlit.runtime.scriptrunner_utils.script_run_context")
    assert module._LOGGER.name == module.__name__, moved("this logger's name", "app/warm.py uses")


def test_the_collection_of_garbage_after_a_rerun_can_be_switched_off() -> None:
    from streamlit import config

    known = set(config.get_config_options())
    needed = ".streamlit/config.toml sets to false"
    assert "runner.postScriptGC" in known, moved("the option runner.postScriptGC", needed)


@pytest.mark.parametrize(
    ("word", "needed"),
    [
        ("stMainBlockContainer", "app/navigation.py has in its style sheet"),
        ("stExpandSidebarButton", "app/navigation.py has in its style sheet"),
        ("stSidebarHeader", "app/navigation.py has in its style sheet"),
        ("stSidebarNavItems", "app/navigation.py has in its style sheet"),
        ("stSidebarNavLink", "app/navigation.py has in its style sheet"),
        ("stSidebarNavSeparator", "app/navigation.py has in its style sheet"),
        ("stSidebarUserContent", "app/navigation.py has in its style sheet"),
        ("stColumn", "app/home/view.py has in its style sheet"),
        ("data-stale", "app/training/view.py has in its style sheet"),
        ("data-test-script-state", "app/shared/address.js watches"),
        ("stApp", "app/shared/address.js looks for"),
        ("st-key", "the style sheets of the pages need"),
    ],
)
def test_the_browser_has_the_names_that_style_sheets_use(word: str, needed: str) -> None:
    pattern = re.compile(re.escape(word))
    found = any(pattern.search(file.read_text(encoding="utf-8")) for file in SCRIPTS.glob("*.js"))
    assert found, moved(f"the name {word}", needed)


def test_a_component_gets_its_data_as_the_tests_read_them() -> None:
    def page() -> None:
        import streamlit as st

        st.components.v2.component("plain", html="<p></p>")(data={"a": [1]}, key="one")

    app = AppTest.from_function(page).run()
    assert not app.exception
    needed = "app/charts draws with and tests/app/sent.py reads"
    assert app.get("bidi_component"), moved("components of version 2", needed)
    data = json.loads(app.get("bidi_component")[0].proto.json)
    assert data == {"a": [1]}, moved("their data as JSON", needed)


def test_the_version_is_bounded() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    (bound,) = [each for each in project["optional-dependencies"]["app"] if "streamlit" in each]
    assert re.fullmatch(r"streamlit>=\d+\.\d+,<\d+\.\d+", bound)
