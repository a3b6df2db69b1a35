"""The proxy configuration that docs/deployment.md offers, with a real nginx and the app in public mode."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from rednd_core.config import PROJECT_ROOT
from tests.deploy.conftest import HOME, Answer, ask, free_port, serving

NGINX = shutil.which("nginx") or next(
    (path for path in ("/usr/sbin/nginx", "/usr/local/sbin/nginx") if Path(path).exists()), None
)
pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine")
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"reader:secret").decode()}

AROUND = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {site}
}}
"""


def site(folder: Path, port: int, app_port: int) -> str:
    """The configuration as it ships, with this test's ports and log-in, and without the certificate."""
    text = (PROJECT_ROOT / "deploy" / "nginx.conf").read_text()
    for pattern, put in (
        (r"listen 443 ssl;", f"listen 127.0.0.1:{port};"),
        (r"ssl_certificate(_key)? .*;", ""),
        (r"127\.0\.0\.1:8501", f"127.0.0.1:{app_port}"),
        (r"/etc/nginx/rednd\.htpasswd", str(folder / "htpasswd")),
    ):
        text, n_found = re.subn(pattern.replace("\\\\", "\\"), put, text)
        assert n_found, pattern
    return text


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "htpasswd").write_text("reader:{PLAIN}secret\n")
    port, app_port = free_port(), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, site=site(folder, port, app_port)))
    assert NGINX is not None
    command = [NGINX, "-p", str(folder), "-c", str(configuration)]
    subprocess.run([*command, "-t"], check=True, capture_output=True, text=True)
    start = ("streamlit", "run", str(HOME), "--server.port", str(app_port))
    with serving(folder, *start, port=app_port, REDND_PUBLIC="1"):
        nginx = subprocess.Popen(command)
        try:
            address = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 30
            while True:
                assert nginx.poll() is None
                assert time.monotonic() < deadline
                try:
                    ask(address)
                    break
                except OSError:
                    time.sleep(0.1)
            yield address
        finally:
            nginx.terminate()
            nginx.wait(20)


def get(url: str) -> Answer:
    return ask(url, **LOGIN)


def test_nobody_enters_without_a_log_in(proxy: str) -> None:
    assert ask(proxy).code == 401
    assert ask(f"{proxy}/_stcore/health").code == 401
    page = get(proxy)
    assert (page.code, "<html" in page.body) == (200, True)


@pytest.mark.parametrize("path", ["/", "/smoothness", "/_stcore/health", "/_stcore/metrics"])
def test_no_page_can_be_framed_or_sniffed(proxy: str, path: str) -> None:
    headers = get(proxy + path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/upload_file/a/b"])
def test_closed_addresses(proxy: str, path: str) -> None:
    assert get(proxy + path).code == 404


def test_large_bodies_are_refused(proxy: str) -> None:
    assert ask(proxy, method="POST", body=bytes(100_000), **LOGIN).code == 413


def test_the_session_of_a_page_passes(proxy: str) -> None:
    stream = proxy.replace("http", "ws", 1) + "/_stcore/stream"
    with pytest.raises(InvalidStatus, match="401"):
        connect(stream, origin=proxy)
    with connect(stream, origin=proxy, additional_headers=LOGIN, subprotocols=["streamlit"]):
        pass
    with pytest.raises(InvalidStatus, match="403"):
        connect(stream, origin="https://evil.example", additional_headers=LOGIN)
