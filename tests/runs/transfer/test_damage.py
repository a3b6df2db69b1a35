"""Random damage to an archive and to its parts never ends in anything but a refusal."""

from __future__ import annotations

import random

from rednd_core.errors import CheckpointError
from rednd_core.runs import RunStore, import_archive
from tests.runs.transfer.archives import files_of, pack


def test_damaged_archives_never_crash(zipped: bytes, target: RunStore) -> None:
    """Truncations and random bytes: a good run or one CheckpointError, never anything else."""
    rng = random.Random(0)
    refused = 0
    for trial in range(300):
        damaged = bytearray(zipped)
        if trial % 3 == 0:
            del damaged[rng.randrange(len(damaged)) :]
        else:
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            run = import_archive(bytes(damaged), target)
        except CheckpointError:
            refused += 1
            assert {path.name for path in target.root.iterdir()} <= {".jobs.lock"}
        else:
            target.delete(run.name, for_good=True)
    assert refused > 200


def test_damaged_parts_never_crash(zipped: bytes, target: RunStore) -> None:
    """As above, but with right checksums, so that the damage reaches every parser."""
    rng = random.Random(1)
    files = files_of(zipped)
    refused = 0
    for _ in range(300):
        name = rng.choice(sorted(files))
        content = bytearray(files[name])
        for _ in range(rng.randint(1, 4)):
            content[rng.randrange(min(len(content), 400))] = rng.randrange(256)
        try:
            run = import_archive(pack(files | {name: bytes(content)}), target)
        except CheckpointError:
            refused += 1
            assert {path.name for path in target.root.iterdir()} <= {".jobs.lock"}
        else:
            target.delete(run.name, for_good=True)
    assert refused > 100
