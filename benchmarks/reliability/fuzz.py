"""Damaged files in the place of each file of a bundled run: its readers answer, or refuse in one sentence."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from campaign import arguments, attempt, report, trials

from rednd_core.cache import ArrayCache
from rednd_core.config import PROJECT_ROOT
from rednd_core.runs import ControlReader, Follower, Run, RunStore

SAMPLE = PROJECT_ROOT / "sample_data/shop/runs/shop-lightgcn"
TOKENS = [
    b"null",
    b"-1",
    b"1e308",
    b"1e999",
    b"9" * 5000,
    b'"\\ud800"',
    b"{}",
    b"[[[[",
    b"\0",
    b"\xff",
]
MOST_BYTES = 200_000


def damage(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content[:MOST_BYTES])
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        how = chance.random()
        if how < 0.4:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif how < 0.7:
            data[at : at + chance.randint(0, 6)] = chance.choice(TOKENS)
        elif how < 0.9:
            del data[at : at + chance.randint(1, 200)]
        else:
            del data[at:]
    return bytes(data)


def main() -> None:
    asked = arguments(__doc__ or "", 120)
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        shutil.copytree(SAMPLE, root / "run")
        run, store = Run(root / "run"), RunStore(root)
        (run.layout.control).mkdir(exist_ok=True)
        command = run.layout.control / f"{1:020d}-0123abcd.json"
        files = {
            file: file.read_bytes()
            for file in sorted(run.path.rglob("*"))
            if file.is_file() and file.suffix in (".json", ".jsonl", ".npy", ".npz")
        }
        files[command] = b'{"format":1,"command":"pause","loss":null,"value":null,"sent":1.0}'
        caches = {file.parent for file in files if file.suffix == ".npz"}
        for chance in trials(asked.budget, asked.seed):
            file = chance.choice(list(files))
            file.write_bytes(damage(files[file], chance))
            what = file.relative_to(run.path).as_posix()
            attempt(store.list, counts, faults, what)
            for look in (run.metrics, run.events, run.layers, Follower(run).read):
                attempt(look, counts, faults, what)
            if file.suffix == ".npz":
                cache = ArrayCache(None, bundled=sorted(caches))
                attempt(lambda c=cache, key=file.stem: c.get(key), counts, faults, what)
            attempt(ControlReader(run.path).poll, counts, faults, what)
            file.write_bytes(files[file])
    report("fuzz of readers", counts, faults)


if __name__ == "__main__":
    main()
