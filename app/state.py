"""Keys of the widgets that several pages share, so that a choice survives a change of page.

Widgets made with ``**keep(key)`` write their value into the address bar (a permalink) and keep it for
the session. The same key means the same choice on every page. What is chosen otherwise goes there by
:func:`to_address`, and comes from there by :func:`from_address`.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

RUN = "run"
OTHER_RUN = "vs"
MODALITY = "modality"
LAYERS = "layers"
DEPTH = "depth"  # which layer, or how far propagation went on
NODE = "node"  # the selected node under its original id: "user:17" or "item:SH-0412"
USER = "user"
JOB = "job"  # the run that the page Live training watches
BESIDE = "beside"  # the run that is watched beside it
OVER = "over"  # what the slider of the page Depth moves over
OVER_DEPTHS, OVER_EPOCHS = "depths", "epochs"
DATA_PATH = "data_path"  # the folder or file that the next training reads


def keep(key: str, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Keyword arguments of a widget whose value belongs to the permalink and to the session.

    Args:
        may_be_empty: whether an address with nothing after the name means the choice of nothing. Of any
            other widget Streamlit would make None of that, even where it always has a value.
    """
    if not may_be_empty and st.query_params.get(key) == "":
        _forget_in_address(key)
    return {"key": key, "bind": "query-params", "persist_state": "session"}


def _forget_in_address(key: str) -> None:
    """Make the address look as if it did not name ``key``."""
    with suppress(StreamlitAPIException):  # A widget has taken the parameter already.
        del st.query_params[key]
    context = get_script_run_ctx()
    if context is not None:
        named = parse_qsl(context.query_string, keep_blank_values=True)
        with context.session_state.query_params() as params:
            params.set_initial_query_params(urlencode([pair for pair in named if pair[0] != key]))


def begin(key: str, options: Collection[str], default: str) -> None:
    """Choose ``default`` in a select box without a choice, as if the reader had chosen it.

    Unlike a widget's own default, the choice is in the address bar, where it stays when the default changes
    (e.g. with the next run). A choice that ``options`` does not have counts as none.
    """
    kept, asked = st.session_state.get(key), st.query_params.get(key)
    known = [name for name in (kept, asked) if name in options]
    # The key is set in every run, because a box without a default is empty again after a change of page.
    st.session_state[key] = known[0] if known else default
    write_address(key, st.session_state[key])


def write_address(key: str, value: str | list[str]) -> None:
    """Put the value that was set for the widget ``key`` into the address, if the address has none.

    Streamlit does so itself in the second run of a widget, and refuses a call after that.
    """
    if key not in st.query_params:
        with suppress(StreamlitAPIException):
            st.query_params[key] = value


def from_address(key: str) -> list[str] | None:
    """The values that a link has under ``key``, which belongs to no widget; None if they are not new.

    If the browser's Back or Forward led here, the address is complete: no value means no choice.
    """
    asked = st.query_params.get_all(key)
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        return asked
    return None if asked in ([], st.session_state.get(_written(key))) else asked


def to_address(key: str, values: list[str]) -> None:
    """Put the chosen ``values`` under ``key``, which belongs to no widget, into the address."""
    if values:
        if values != st.query_params.get_all(key):
            st.query_params[key] = values
    else:
        st.query_params.pop(key, None)
    st.session_state[_written(key)] = values


def _written(key: str) -> str:
    return f"address.{key}"


def drop_foreign(key: str, options: Collection[Any]) -> None:
    """Forget a kept choice, or the parts of it, that ``options`` does not have, e.g. in another run."""
    if key not in st.session_state:
        return
    value = st.session_state[key]
    if isinstance(value, list):
        kept = [each for each in value if each in options]
        if kept != value:
            st.session_state[key] = kept or list(options)
    elif value is not None and value not in options:
        del st.session_state[key]
