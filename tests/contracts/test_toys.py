"""The contract holds for models with dropout, a redrawn graph and several phases."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tests.contracts import toys
from tests.contracts.suite import ModelContract, assert_recorded_is_plain


class TestDropout(ModelContract):
    name = "toy_dropout"


class TestRedrawn(ModelContract):
    name = "toy_redrawn"

    def test_a_stale_recording_would_be_seen(self, planted, monkeypatch) -> None:
        """Without a new ``step_version`` the old graph is replayed, and the comparison says so."""
        monkeypatch.setattr(toys.ToyRedrawn, "raises_its_version", False)
        with pytest.raises(AssertionError):
            assert_recorded_is_plain(planted, self.name, {}, monkeypatch)


class TestPhases(ModelContract):
    name = "toy_phases"


class TestRemedied(ModelContract):
    name = "toy_remedied"
    variants: ClassVar = [{"plugin_alignment_scope": "full"}]
    # Engines and threads are asked of the models that the remedies act on.
    test_both_engines_train_the_same_model = None
    test_a_seed_repeats_bit_for_bit = None
    test_learns_the_planted_groups = None
