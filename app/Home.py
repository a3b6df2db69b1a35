"""Entry point: ``streamlit run app/Home.py``. The server; ``main.py`` is what it shows."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from streamlit.config import get_option

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit puts only this file's folder on the path
    sys.path.insert(0, str(ROOT))

from app import exposure, warm  # noqa: E402 - needs the path above
from app.charts.live_charts import LIBRARY, LIBRARY_PATH  # noqa: E402
from rednd_core.errors import RedndError  # noqa: E402


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Make things ready from the start: the first visitor's browser needs a second to load as well."""
    warm.start()
    yield


async def plotly_library(_: Request) -> FileResponse:
    """The plotly.js of the live charts; its path holds the version, so a browser may keep it."""
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return FileResponse(LIBRARY, media_type="text/javascript", headers=headers)


app = st.App(
    ROOT / "app" / "main.py",
    lifespan=lifespan,
    middleware=[Middleware(exposure.Gate)],
    routes=[Route(f"/{LIBRARY_PATH}", plotly_library)],
)

try:
    # After st.App, which finds app/.streamlit, a link to .streamlit, wherever the server was started.
    exposure.require_address(get_option("server.address"))
except RedndError as error:
    sys.exit(f"rednd: {error}")
