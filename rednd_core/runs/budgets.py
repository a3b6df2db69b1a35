"""How much a run may ask of whoever looks at it. docs/reliability.md says the same figures.

Every file of a run has a size beyond which nobody reads it, on its way in and in its place alike: a
folder that anybody may have made must not slow the list of all the others.
"""

from __future__ import annotations

RECORD_BYTES = 1024**2
"""config.json, status.json, evaluation.json, job.json, last.json, layers/index.json: a few kilobytes."""
COMMAND_BYTES = 4096
CAMPAIGN_BYTES = 256 * 1024**2
"""sweep.json and study.json: some kilobytes a point."""
JOURNAL_BYTES = 256 * 1024**2
"""metrics.jsonl: about 5 kB an epoch with two modalities."""
