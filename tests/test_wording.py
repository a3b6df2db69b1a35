import pytest

from rednd_core.wording import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words
