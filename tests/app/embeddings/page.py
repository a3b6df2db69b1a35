"""What the tests of the Embeddings page look at."""

from __future__ import annotations

from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT

PAGE = str(PROJECT_ROOT / "pages" / "1_Embeddings.py")
N_USERS, N_ITEMS, N_LAYERS = 40, 30, 2
HOSTILE = "<script>alert(1)</script> **bold** $x$ :smile: [a](http://b.c)"


def open_page(**query: Any) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def notes(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.header, *app.info, *app.error]
    return "\n".join(element.value for element in parts)


def table(app: AppTest, *columns: str) -> pd.DataFrame:
    """The data frame on the page that has these columns."""
    found = [each.value for each in app.dataframe if {*columns} <= {*each.value.columns}]
    assert len(found) == 1
    return found[0]
