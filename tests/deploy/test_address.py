"""The app makes sure itself, wherever it is started from, who can reach it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from app import exposure
from rednd_core.errors import ConfigError
from tests.deploy.conftest import HOME, ask, environment, free_port, serving


def own_address() -> str | None:
    """An address of this machine that is not loopback."""
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family == socket.AF_INET and not address.address.startswith("127."):
                return address.address
    return None


def test_from_another_folder_it_listens_on_loopback_with_its_limits(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, "streamlit", "run", str(HOME), "--server.port", str(port), port=port):
        listening = {
            connection.laddr.ip
            for connection in psutil.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        }
        assert listening == {"127.0.0.1"}
    code = (
        "import streamlit.config as c; "
        f"c._main_script_path = {str(HOME)!r}; "
        "print(*map(c.get_option, ['server.address', 'server.maxUploadSize', "
        "'browser.gatherUsageStats']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(tmp_path), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["127.0.0.1", "64", "False"]


def test_there_is_one_file_of_settings() -> None:
    link = HOME.parent / ".streamlit"
    assert link.resolve() == HOME.parent.parent / ".streamlit"


def test_another_address_is_refused_with_what_it_means(tmp_path: Path) -> None:
    options = ("--server.port", str(free_port()), "--server.address", "0.0.0.0")
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", str(HOME), *options],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 1
    assert "as the app has no log-in, but found 0.0.0.0, where whoever can connect" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(own_address() is None, reason="this machine has no address but loopback")
def test_however_it_was_started_it_answers_no_other_machine(tmp_path: Path) -> None:
    port = free_port()
    options = ("app.Home:app", "--host", "0.0.0.0", "--port", str(port))
    with serving(tmp_path, "uvicorn", *options, port=port) as address:
        assert ask(address).code == 200
        other = ask(f"http://{own_address()}:{port}")
        assert (other.code, "answers its own machine only" in other.body) == (403, True)
        # A proxy on this machine names its visitor.
        assert ask(address, X_Forwarded_For="203.0.113.7").code == 403


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.3.2.1"])
def test_loopback_is_private(address: str) -> None:
    exposure.require_address(address)


@pytest.mark.parametrize("address", [None, "0.0.0.0", "::", "192.0.2.1", "example.org", ""])
def test_others_need_a_word(address: str | None, monkeypatch) -> None:
    with pytest.raises(ConfigError, match="has no log-in"):
        exposure.require_address(address)
    monkeypatch.setenv(exposure.PUBLIC, "1")
    exposure.require_address(address)


@pytest.mark.parametrize(
    ("name", "value", "look"),
    [
        (exposure.PUBLIC, "yes", exposure.is_public),
        (exposure.JOBS, "-1", exposure.n_public_jobs),
        (exposure.JOBS, "9" * 9, exposure.n_public_jobs),
    ],
)
def test_what_is_no_answer_is_refused(name: str, value: str, look, monkeypatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        look()
