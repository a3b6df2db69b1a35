"""The user whom all pages follow, on the Embeddings page."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from app import state
from app.shared import node_select
from rednd_core.data import load_dataset
from tests.app.embeddings.page import N_USERS, PAGE


def test_the_user_of_the_other_pages_is_selected_here_and_the_other_way_round(
    add_run, folder: Path
) -> None:
    add_run("one")
    user = load_dataset(folder).user_ids.tolist().index("ann-7")
    app = AppTest.from_file(PAGE, default_timeout=180)
    app.session_state[state.USER] = "ann-3"
    app.run()
    assert app.session_state[state.NODE] == "user:ann-3"
    app.selectbox(key=node_select.FINDER).set_value(None).run()
    assert app.session_state[state.NODE] is None, "who is cleared does not come back"
    app.selectbox(key=node_select.FINDER).set_value(user).run()
    assert app.session_state[state.USER] == "ann-7"
    app.selectbox(key=node_select.FINDER).set_value(N_USERS + 2).run()
    assert app.session_state[state.NODE].startswith("item:")
    assert app.session_state[state.USER] == "ann-7", "an item leaves the user as it is"
    app.session_state[state.USER] = "ann-3"
    app.run()
    assert app.session_state[state.NODE] == "user:ann-3"
