"""What a page must not call."""

from __future__ import annotations

import pytest


def forbid(monkeypatch: pytest.MonkeyPatch, *places: str) -> None:
    """Let every call of ``places`` be an error that the page shows and ``AppTest.exception`` has.

    What ``pytest.fail`` raises is no ``Exception``: it would end the page's thread unseen.
    """

    def called(*args: object, **kwargs: object) -> None:
        raise AssertionError("called where it must not be")

    for place in places:
        monkeypatch.setattr(place, called)
