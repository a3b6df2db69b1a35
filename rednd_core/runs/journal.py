"""metrics.jsonl: one line an epoch, one an event. What a line may be, and which lines still hold.

A run that is continued after a crash goes back to its last checkpoint. What lies behind that place in
the file was lost with the process: the epochs are trained again, and a weight that was set there is not in
force. The lines stay in the file, which only grows; a :class:`Journal` leaves them out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

from rednd_core.config import MODALITY
from rednd_core.errors import RunError
from rednd_core.runs.budgets import JOURNAL_CELLS, JOURNAL_NAMES

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
Count = Annotated[int, Field(ge=0, le=10**9)]
Weight = Annotated[float, Field(ge=0)]

NUMBERS = ("losses", "weights", "valid", "seconds")
"""Parts of an epoch's line that are flat: a number or null under each name."""

MEASURE = re.compile(rf"[a-z_]+\.{MODALITY.pattern}\.\d{{1,4}}\.(users|items|all)\.[a-z0-9_]+")
"""What a smoothness measure is called: view, modality, layer, side, measure."""


class _Event(BaseModel):
    """What is asked of every event; it may hold more. ``epoch``, ``batch``: see :class:`Journal`."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, defer_build=True)
    event: str
    epoch: Count | None = None
    batch: Count | None = None


class _SetWeight(_Event):
    epoch: Count
    time: float
    loss: str
    value: float
    ticket: str | None = None


class _Refused(_SetWeight):
    message: str


class _Continued(_Event):
    epoch: Count
    weights: dict[str, Weight] = Field(default_factory=dict)


_KINDS: dict[object, type[_Event]] = {
    "set_weight": _SetWeight,
    "refused": _Refused,
    "continued": _Continued,
}


def parse_line(line: bytes, run_name: str, number: int) -> Row:
    """Line ``number`` of a run's file, with the values of an epoch under dotted names.

    Raises:
        RunError: neither an epoch nor an event, or one with values of another kind.
    """
    try:
        row = from_json(line, allow_inf_nan=False)
        if isinstance(row, dict) and "event" in row:
            _KINDS.get(str(row["event"]), _Event).model_validate(row)
            return row
        if isinstance(row, dict) and type(row["epoch"]) is int and _is_epoch(row):
            return _with_current_names(flatten(row))
    except (ValueError, KeyError, OverflowError):
        pass
    raise RunError(
        expected=f"a JSON object with an epoch or an event in {run_name}/metrics.jsonl",
        found=f"{line[:60].decode('utf-8', 'replace')!r} in line {number}",
        remedy="remove that line",
    )


def flatten(row: Row, prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level: ``{"valid": {"ndcg@5": x}}`` -> ``{"valid.ndcg@5": x}``."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _with_current_names(row: dict[str, Any]) -> dict[str, Any]:
    """An epoch's values under the names that the measures have now.

    Early runs recorded ``readout_drift`` as ``discrepancy``, which is now another measure. Theirs is
    known by its value at depth 0, where the measure of today is not defined.
    """
    ends = {name.split(".", 3)[-1] for name in row if name.endswith(".discrepancy")}
    if not any(end.startswith("0.") for end in ends):
        return row
    old, new = ".discrepancy", ".readout_drift"
    return {
        name.removesuffix(old) + new if name.endswith(old) else name: v for name, v in row.items()
    }


class Journal:
    """The rows of a file that hold, in their order.

    A row's place is (completed epochs, completed batches of the epoch after them). ``continued`` has the
    place of the checkpoint that it went back to; what came after that saving is discarded. A row costs the
    same however many stand before it.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows: list[Row] = []
        self._epochs: list[int] = []  # the last epoch up to each row
        self._names: set[str] = set()
        for row in rows:
            self.append(row)

    def append(self, row: Row) -> None:
        """Add the next row of the file, and drop those that it takes back.

        Raises:
            RunError: rows with more different names than any training has, or too many of both.
        """
        if row.get("event") == "continued":
            self._go_back(row["epoch"], _batch(row, math.inf))
        elif "event" not in row and row["epoch"] <= self._last_epoch:
            self._go_back(row["epoch"] - 1, math.inf)
        last = self._last_epoch if "event" in row else row["epoch"]
        self.rows.append(row)
        self._epochs.append(last)
        if "event" not in row:
            self._names.update(row)
            self._require_bounds()

    @property
    def _last_epoch(self) -> int:
        return self._epochs[-1] if self._epochs else 0

    def _go_back(self, epoch: int, batch: float) -> None:
        """Drop what follows the last row that was written before the saving at that place.

        No later epoch stays, whatever an event behind it says of its own place.
        """
        kept = len(self.rows)
        while kept and (
            self._epochs[kept - 1] > epoch or not _precedes(self.rows[kept - 1], epoch, batch)
        ):
            kept -= 1
        del self.rows[kept:], self._epochs[kept:]

    def _require_bounds(self) -> None:
        n_names, n_rows = len(self._names), len(self.rows)
        if n_names > JOURNAL_NAMES or n_names * n_rows > JOURNAL_CELLS:
            raise RunError(
                expected=f"at most {JOURNAL_NAMES} different names, and {JOURNAL_CELLS} values, "
                "in metrics.jsonl",
                found=f"{n_names} names in {n_rows} lines",
                remedy="remove the lines that no training wrote",
            )


def epochs_of(valid: Sequence[Row]) -> pd.DataFrame:
    """The epochs among ``valid`` as a table, one row each; what a row lacks, or holds as null, is NaN."""
    import pandas as pd

    rows = [row for row in valid if "event" not in row]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    # pandas leaves a column of nothing but None as it is, and None has no format.
    never = {name for name, values in columns.items() if all(value is None for value in values)}
    return pd.DataFrame(columns).astype(dict.fromkeys(never, float))


def events_of(valid: Sequence[Row]) -> list[Row]:
    """The events among ``valid``, in order."""
    return [row for row in valid if "event" in row]


def notices_of(valid: Sequence[Row]) -> tuple[str, ...]:
    """Sentences of the trainer on how the epoch was chosen, each once.

    What was said before the first epoch holds for the whole run; what was said at an end holds until the
    training is continued.
    """
    at_start: list[str] = []
    at_end: list[str] = []
    has_begun = False
    for row in valid:
        if "event" not in row:
            has_begun = True
        elif row["event"] == "continued":
            at_end = []
        elif row["event"] == "notice":
            (at_end if has_begun else at_start).append(str(row.get("message", "")))
    return tuple(dict.fromkeys([*at_start, *at_end]))


def _precedes(row: Row, epoch: int, batch: float) -> bool:
    """Whether ``row`` is surely older than the saving at (epoch, batch).

    At the very place only two are: the epoch's own row and the stop, which are what is saved after. Other
    commands were applied after the saving, before the next batch.
    """
    if "event" not in row:
        return bool(row["epoch"] <= epoch)
    if "epoch" not in row:  # it has no place: whatever stands before it decides
        return False
    place = (row["epoch"], _batch(row, 0))
    return place < (epoch, batch) or (row["event"] == "stopped" and place == (epoch, batch))


def _batch(row: Row, default: float) -> float:
    batch: float | None = row.get("batch")
    return default if batch is None else batch


def _is_epoch(row: Row) -> bool:
    """Whether the values of an epoch are what pages can draw: numbers, yes or no, null, lists of them."""
    flat = all(_is_flat(row[part]) for part in NUMBERS if part in row)
    known = _are_measures(row.get("smoothness", {})) and 0 <= row["epoch"] <= 10**9
    return flat and known and all(map(_is_value, row.values()))


def _is_flat(part: object) -> bool:
    return isinstance(part, Mapping) and not any(
        isinstance(v, Mapping | list) for v in part.values()
    )


def _are_measures(part: object) -> bool:
    """Whether charts find view, modality, layer, side and measure in the name of every value."""
    return isinstance(part, Mapping) and all(
        MEASURE.fullmatch(name) and not isinstance(value, list)
        for name, value in flatten(part).items()
    )


def _is_value(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(map(_is_value, value.values()))
    if isinstance(value, list):
        return not any(isinstance(v, Mapping | list) for v in value) and all(map(_is_value, value))
    # A whole number that no float can hold raises OverflowError.
    return value is None or (isinstance(value, int | float) and math.isfinite(value))
