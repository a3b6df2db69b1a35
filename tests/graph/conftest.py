"""Every engine on every device of this machine."""

from __future__ import annotations

import importlib.util

import pytest

HAS_DGL = importlib.util.find_spec("dgl") is not None
needs_dgl = pytest.mark.skipif(not HAS_DGL, reason="DGL is not installed")
ENGINES = [
    pytest.param(("dgl", "cpu"), marks=needs_dgl, id="dgl-cpu"),
    pytest.param(("csr", "cpu"), id="csr-cpu"),
    pytest.param(("dgl", "cuda"), marks=[needs_dgl, pytest.mark.gpu], id="dgl-cuda"),
    pytest.param(("csr", "cuda"), marks=pytest.mark.gpu, id="csr-cuda"),
]


@pytest.fixture(params=ENGINES, scope="session")
def engine(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The name of an engine and the device that it serves."""
    if request.param == ("dgl", "cuda"):
        from rednd_core.graph.engine_dgl import dgl_has_cuda

        if not dgl_has_cuda():
            pytest.skip("the installed DGL was built without CUDA")
    return request.param
