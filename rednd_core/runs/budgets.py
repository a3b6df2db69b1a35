"""The largest size of each file of a run. docs/reliability.md has the same figures.

A larger file is not read, neither in an archive nor in a folder of runs: a folder of unknown origin must
not slow the list of all other runs.
"""

from __future__ import annotations

RECORD_BYTES = 1024**2
"""config.json, status.json, evaluation.json, job.json, last.json, index.json of layers and snapshots: a few
kilobytes."""
COMMAND_BYTES = 4096
JOURNAL_NAMES = 10_000
"""Different names in metrics.jsonl: 16 modalities with 33 layers have 6,000 smoothness measures."""
JOURNAL_CELLS = 30_000_000
"""Names times lines: what the table of epochs holds."""
LOG_BYTES = 64 * 1024**2
TABLE_BYTES = 512 * 1024**2
"""per_user.csv: 200 bytes a user and split."""
IDS_BYTES = 256 * 1024**2
"""ids.json: some ten bytes a user or item."""
CAMPAIGN_BYTES = 256 * 1024**2
"""sweep.json and study.json: some kilobytes a point."""
JOURNAL_BYTES = 128 * 1024**2
"""metrics.jsonl: about 5 kB an epoch with two modalities."""

# Of an archive of unknown origin.
RUN_FILES = 2_000
RUN_BYTES = 4 * 1024**3
ANY_RATIO_BYTES = 1024**2
TEXT_RATIO = 100
"""Text above ANY_RATIO_BYTES packs at most so tightly: numbers about 3 to 1, repeated lines 20 to 1."""
ANY_TOTAL_BYTES = 256 * 1024**2
TOTAL_RATIO = 100

_BY_NAME = {
    "metrics.jsonl": JOURNAL_BYTES,
    "log.txt": LOG_BYTES,
    "per_user.csv": TABLE_BYTES,
    "ids.json": IDS_BYTES,
}


def most_bytes(name: str) -> int | None:
    """Limit of the file ``name`` of a run; None for arrays and parameters, which are mapped, not read."""
    if name.endswith(".json") and name not in _BY_NAME:
        return RECORD_BYTES
    return _BY_NAME.get(name)
