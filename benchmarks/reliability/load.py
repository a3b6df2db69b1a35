"""Many visitors at once: sessions that open pages, think, and go on, with a training beside them.

    python benchmarks/reliability/load.py --sessions 50 --budget 600 [--training]

A session speaks Streamlit's own protocol, without a browser: a visit begins with the request of a page and
ends when its script has finished. What a browser fetches and draws afterwards is not part of it. Between two
visits a visitor thinks for 2 to 6 seconds. The figures are those of the bars in docs/reliability.md: times of
a visit, processor time of the server for each visit, and memory, whose growth counts from the fifth minute on
(from the middle of a shorter campaign).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from app_server import app_server
from campaign import TRAIN, report
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect

from rednd_core.config import PROJECT_ROOT

THINK_SECONDS = (2.0, 6.0)
MOST_SECONDS = 60.0
"""After which a visit counts as an error."""
SETTLED_SECONDS = 300.0
MEGABYTE = 1 << 20


@dataclass
class Visits:
    """What all sessions have seen."""

    seconds: list[float] = field(default_factory=list)
    connecting: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def address_of_visit(chance: random.Random) -> tuple[str, str]:
    """Name and query string of the page that a visitor opens next."""
    run = chance.choice(["shop-lightgcn", "shop-rednnd-a0", "shop-rednnd-a0.1"])
    return chance.choice(
        [
            ("", ""),
            ("depth", f"run={run}"),
            ("embeddings", f"run={run}"),
            ("smoothness", f"run={run}"),
            ("recommendations", f"run={run}&user={chance.randrange(1000)}"),
            ("explain", f"run={run}"),
            ("learn", f"lesson={chance.randint(1, 10)}"),
            ("data", ""),
        ]
    )


async def visit(connection: object, page: str, query: str) -> str | None:
    """Ask for a page and wait for the end of its script; returns what went wrong, or None."""
    asked = BackMsg()
    asked.rerun_script.page_name = page
    asked.rerun_script.query_string = query
    await connection.send(asked.SerializeToString())  # type: ignore[attr-defined]
    wrong = None
    while True:
        answer = ForwardMsg.FromString(await connection.recv())  # type: ignore[attr-defined]
        kind = answer.WhichOneof("type")
        if kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception":
            wrong = f"/{page}?{query}: {answer.delta.new_element.exception.message[:200]}"
        if kind == "page_not_found":
            wrong = f"/{page}: not found"
        if kind == "script_finished" and answer.script_finished in (
            ForwardMsg.FINISHED_SUCCESSFULLY,
            ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
        ):
            return wrong


async def session(port: int, chance: random.Random, deadline: float, seen: Visits) -> None:
    """One visitor, until the deadline."""
    await asyncio.sleep(chance.uniform(0, THINK_SECONDS[1]))
    began = time.monotonic()
    try:
        async with connect(
            f"ws://127.0.0.1:{port}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=MOST_SECONDS,
        ) as connection:
            seen.connecting.append(time.monotonic() - began)
            while time.monotonic() < deadline:
                page, query = address_of_visit(chance)
                began = time.monotonic()
                wrong = await asyncio.wait_for(visit(connection, page, query), MOST_SECONDS)
                seen.seconds.append(time.monotonic() - began)
                if wrong:
                    seen.faults.append(wrong)
                await asyncio.sleep(chance.uniform(*THINK_SECONDS))
    except TimeoutError:
        seen.faults.append(f"no answer within {MOST_SECONDS:.0f} s")
    except OSError as error:
        seen.faults.append(str(error)[:200])


async def campaign(port: int, asked: argparse.Namespace, seen: Visits, memory: list[float]) -> None:
    """All sessions, and the memory of the server every ten seconds."""
    server = asked.server
    deadline = time.monotonic() + asked.budget
    visitors = [
        asyncio.create_task(session(port, random.Random(f"{asked.seed}-{n}"), deadline, seen))
        for n in range(asked.sessions)
    ]
    while time.monotonic() < deadline:
        memory.append(server.memory_info().rss / MEGABYTE)
        await asyncio.sleep(min(10.0, asked.budget / 20))
    await asyncio.gather(*visitors)


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--budget", type=float, default=120, help="seconds (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--training", action="store_true", help="train a model beside the visitors")
    return parser.parse_args()


@contextmanager
def training(environment: Mapping[str, str]) -> Iterator[None]:
    """A model that trains all the while."""
    process = subprocess.Popen(
        [*TRAIN, "--set", "epochs=100000"],
        cwd=PROJECT_ROOT,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    asked = parsed()
    seen, memory = Visits(), list[float]()
    with tempfile.TemporaryDirectory() as home, ExitStack() as running:
        environment = os.environ | {"REDND_RUNS": f"{home}/runs", "REDND_CACHE": f"{home}/cache"}
        asked.server, port = running.enter_context(app_server(environment))
        if asked.training:
            running.enter_context(training(environment))
        before = sum(asked.server.cpu_times()[:2])
        asyncio.run(campaign(port, asked, seen, memory))
        spent = sum(asked.server.cpu_times()[:2]) - before
    n = max(1, len(seen.seconds))
    print(f"{asked.sessions} sessions, {len(seen.seconds)} visits in {asked.budget:.0f} s")
    for words, values in (("a visit", seen.seconds), ("a connection", seen.connecting)):
        if len(values) > 1:
            median, late = statistics.median(values), percentile(values, 95)
            print(f"{words}: median {median:.2f} s, 95 of 100 within {late:.2f} s")
    settled = memory[round(len(memory) * min(0.5, SETTLED_SECONDS / asked.budget)) :]
    growth = 100 * (settled[-1] / settled[0] - 1)
    print(f"processor time of the server: {spent / n:.3f} s a visit")
    print(f"memory: {memory[0]:.0f} to {memory[-1]:.0f} MB, {growth:+.1f} % since it settled")
    report("load", Counter({"visits": len(seen.seconds)}), seen.faults)


if __name__ == "__main__":
    main()
