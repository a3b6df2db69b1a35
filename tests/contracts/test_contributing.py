"""The model of CONTRIBUTING.md is complete: its file and its card, as they stand there, pass the suite."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

from rednd_core.config import PROJECT_ROOT
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.modeling import registry
from rednd_core.modeling.observe import current_layers
from tests.contracts.suite import ModelContract, build

TEXT = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MODEL, CARD, OWN_FILE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[:3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model's file."""
    made = tmp_path_factory.mktemp("models")
    (made / "dampedgcn.py").write_text(MODEL, encoding="utf-8")
    return made


@pytest.fixture(autouse=True)
def _model_is_registered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    card = eval(CARD.replace("rednd_core.models.", ""), dict(vars(registry)))
    monkeypatch.setitem(registry.CARDS, card.name, card)
    monkeypatch.delitem(sys.modules, "dampedgcn", raising=False)


class TestDampedGCN(ModelContract):
    name = "dampedgcn"

    def test_it_does_what_the_text_says(self, planted) -> None:
        model = build(planted, self.name, n_layers=2, damping=0.5)
        graph = bipartite_graph(planted.train, planted.n_users, planted.n_items)
        a = torch.from_numpy(graph.norm_adj.to_scipy().toarray())
        states = current_layers(model)["id"]
        torch.testing.assert_close(states[2], 0.25 * a @ a @ states[0])


def test_the_file_of_the_suite_is_the_one_above() -> None:
    assert 'class TestDampedGCN(ModelContract):\n    name = "dampedgcn"\n' in OWN_FILE
