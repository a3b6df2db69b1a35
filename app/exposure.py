"""Who can reach the app, and what strangers may do in it. docs/deployment.md says the same for operators.

The app has no log-in, so it answers the machine that it runs on and no other. With ``REDND_PUBLIC=1`` it
answers others as well, and offers them what cannot harm the machine or each other: to look.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from rednd_core.errors import ConfigError

PUBLIC = "REDND_PUBLIC"
DATA = "REDND_DATA"
JOBS = "REDND_PUBLIC_JOBS"
MOST_EPOCHS = 200
"""Of a training that a visitor of a public app starts."""
OWN = "exposure.own"  # names of the runs that this session has started
CLOSED = ("/_stcore/metrics", "/_stcore/upload_file")
"""Addresses that a public app does not have: figures of the server, and uploads."""

starting = Lock()
"""Held from the look at the quota to the start of the run."""


def is_public() -> bool:
    """Whether others than the user of this machine are expected.

    Raises:
        ConfigError: the variable says neither yes nor no.
    """
    text = os.environ.get(PUBLIC, "")
    if text not in ("", "0", "1"):
        raise ConfigError(
            expected=f"1 or 0 in {PUBLIC}", found=repr(text), remedy="set it to 1, or leave it out"
        )
    return text == "1"


def is_loopback(host: str | None) -> bool:
    """Whether ``host`` is an address of this very machine."""
    if host == "localhost":
        return True
    try:
        return host is not None and ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_address(address: str | None) -> None:
    """Refuse to listen where others can connect, unless the app is public.

    Raises:
        ConfigError: says what the address would mean. None stands for all addresses.
    """
    if not is_public() and not is_loopback(address):
        raise ConfigError(
            expected="the address 127.0.0.1, as the app has no log-in",
            found=f"{address or 'all addresses of this machine'}, where whoever can connect may read "
            "any data file and any run, delete runs and use the processor",
            remedy=f"leave the address out, or set {PUBLIC}=1 and read docs/deployment.md",
        )


class Gate:
    """ASGI middleware that holds however the server was started, e.g. by ``uvicorn --host 0.0.0.0``.

    A private app answers no other machine: a proxy on this one names the visitor's address, which counts.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            status, words = refused
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": words.encode()})

    def _refusal(self, scope: Any) -> tuple[int, str] | None:
        """Status and words, or None for what is let through."""
        if is_public():
            closed = any(scope["path"].rstrip("/").find(path) >= 0 for path in CLOSED)
            return (404, "Not found.") if closed else None
        client = scope.get("client")
        if client is None or is_loopback(client[0]):  # None: a socket of this machine
            return None
        return 403, f"This app answers its own machine only. Its operator can set {PUBLIC}=1."


def declared_folders() -> list[Path]:
    """The folders of ``$REDND_DATA``, whose data sets are offered beside the samples."""
    return [Path(text) for text in os.environ.get(DATA, "").split(os.pathsep) if text]


def require_offered(path: str, offered: Collection[str]) -> None:
    """Refuse a data set that a visitor of a public app names and that is not offered.

    Raises:
        ConfigError: a typed or linked path could be any file of the machine.
    """
    if is_public() and path not in offered:
        raise ConfigError(
            expected="one of the data sets that this public app offers",
            found="another path",
            remedy="choose one from the list",
        )


def n_public_jobs() -> int:
    """Trainings of visitors, waiting ones included, that a public app takes at a time; 0: none.

    Raises:
        ConfigError: the variable is no number.
    """
    text = os.environ.get(JOBS, "0")
    if not text.isdecimal() or len(text) > 4:
        raise ConfigError(
            expected=f"a whole number in {JOBS}",
            found=repr(text),
            remedy="set it to how many trainings visitors may have at a time",
        )
    return int(text)


def may_train() -> bool:
    """Whether a visitor may start trainings at all."""
    return not is_public() or n_public_jobs() > 0


def require_turn(live: Collection[str], epochs: int) -> None:
    """Refuse a training beyond a visitor's share of a public app.

    Args:
        live: names of the runs that wait or train.

    Raises:
        ConfigError: one of the visitor's is there already, all places are taken, or it would last too long.
    """
    if not is_public():
        return
    if own := [name for name in live if name in _own()]:
        raise ConfigError(
            expected="one training a visitor at a time",
            found=f"{own[0]}, which is not over",
            remedy="stop it or wait for its end",
        )
    if len(live) >= n_public_jobs():
        raise ConfigError(
            expected=f"at most {n_public_jobs()} trainings at a time",
            found=str(len(live)),
            remedy="try again when one of them is over",
        )
    if epochs > MOST_EPOCHS:
        raise ConfigError(
            expected=f"at most {MOST_EPOCHS} epochs in this public app",
            found=str(epochs),
            remedy="train fewer, or install the project and train on your own machine",
        )


def remember(name: str) -> None:
    """The run ``name`` is this visitor's."""
    st.session_state[OWN] = (*_own(), name)


def may_steer(name: str) -> bool:
    """Whether this visitor may pause, stop or change the run ``name``."""
    return not is_public() or name in _own()


def _own() -> tuple[str, ...]:
    return tuple(st.session_state.get(OWN, ()))
