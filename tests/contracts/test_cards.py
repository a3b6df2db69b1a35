"""Every card tells of a model that is there; a model without a test file of its own is tested here."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.errors import ConfigError
from rednd_core.modeling.registry import CARDS, card, model_class, model_title
from tests.contracts.suite import ModelContract

OWN_FILE = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}


@pytest.mark.parametrize("name", sorted(CARDS))
def test_a_card_is_true(name: str) -> None:
    found = card(name)
    cls = model_class(name)
    assert found.name == cls.name == name
    assert found.module == cls.__module__
    assert found.title == model_title(name) != name
    doc = __import__(found.module, fromlist=["x"]).__doc__
    if found.paper.startswith("arXiv"):
        assert found.paper in doc, "the file's head names the paper"


def test_a_name_without_a_card() -> None:
    assert model_title("from_the_future") == "from_the_future"
    with pytest.raises(ConfigError, match=r"a model among .*did you mean 'lightgcn'"):
        card("lightgnc")


def contract_of(name: str) -> type[ModelContract]:
    """The suite for a model without a file of its own, which declares what its card and settings tell."""
    has_layers = "n_layers" in model_class(name).settings_class.model_fields
    return type(f"Test{name.title()}", (ModelContract,), {"name": name, "propagates": has_layers})


for _name in sorted(set(CARDS) - OWN_FILE):
    globals()[f"Test{_name.title()}"] = contract_of(_name)
