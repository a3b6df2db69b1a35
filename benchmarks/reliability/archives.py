"""Archives made to cost much, and damaged ones, imported as users import: refused cheaply, nothing left."""

from __future__ import annotations

import io
import random
import resource
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from campaign import arguments, attempt, report, trials
from fuzz import SAMPLE, damage

from rednd_core.runs import Run, RunStore, export, import_archive

MOST_BYTES = 1 << 30
"""Of memory that the process of an import may take at its peak."""


def pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def events(chance: random.Random) -> bytes:
    """Events that a journal has to look back over, again and again."""
    line = b'{"event":"paused","epoch":0,"batch":0}\n'
    again = b'{"epoch":1}\n{"event":"continued","epoch":0,"batch":9}\n'
    return line * chance.randint(1_000, 30_000) + again * chance.randint(1_000, 15_000)


def names(chance: random.Random) -> bytes:
    """An epoch a line, each with a name of its own."""
    rows = (b'{"epoch":%d,"x%d":1}\n' % (n, n) for n in range(1, chance.randint(2_000, 60_000)))
    return b"".join(rows)


COSTLY: dict[str, Callable[[random.Random], bytes]] = {
    "metrics.jsonl": events,
    "metrics.jsonl ": names,
    "config.json": lambda chance: b" " * chance.randint(10**6, 10**8),
    "log.txt": lambda chance: b"a" * chance.randint(10**6, 10**8),
    "per_user.csv": lambda chance: (
        b"user,split,a\n" + b"0,valid,0\n" * chance.randint(10**5, 10**7)
    ),
    "status.json": lambda _: b'{"state":"running","heartbeat":1.0}',
    "layers/index.json": lambda chance: b"[" * chance.randint(10**3, 10**6),
}


def main() -> None:
    asked = arguments(__doc__ or "", 120)
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        whole = export(Run(SAMPLE), Path(folder) / "whole.zip").read_bytes()
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        top = next(iter(files)).split("/")[0]
        for number, chance in enumerate(trials(asked.budget, asked.seed)):
            store = RunStore(Path(folder) / f"store-{number}")
            if chance.random() < 0.5:
                name = chance.choice(list(COSTLY))
                content = pack(files | {f"{top}/{name.strip()}": COSTLY[name](chance)})
            else:
                name = chance.choice(list(files))
                content = pack(files | {name: damage(files[name], chance)})
            before = counts["answered"]
            attempt(lambda c=content, s=store: import_archive(c, s), counts, faults, name)
            if counts["answered"] == before and store.root.exists() and list(store.root.iterdir()):
                faults.append(f"{name}: something is left in the store")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    counts[f"MB at the peak of an import (of {sum(counts.values())})"] = peak >> 20
    if peak > MOST_BYTES:
        faults.append(f"{peak >> 20} MB of memory")
    report("hostile archives", counts, faults)


if __name__ == "__main__":
    main()
