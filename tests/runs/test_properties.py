"""Whatever lies in a run folder or in an archive, its readers answer or refuse it with one sentence."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rednd_core.cache import ArrayCache
from rednd_core.errors import RedndError, RunError
from rednd_core.runs import (
    ControlReader,
    Follower,
    Run,
    RunStore,
    import_archive,
    import_checkpoint,
)
from rednd_core.runs.command import Command
from rednd_core.runs.journal import Journal, parse_line
from rednd_core.runs.reading import parse_record
from rednd_core.runs.record import RunRecord, StatusRecord
from tests.runs.transfer.archives import files_of, pack

MANY = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

numbers = st.one_of(
    st.integers(-3, 40),
    st.integers(),
    st.sampled_from([2**63, 10**30, -(10**400), 10**4000]),
    st.floats(),
    st.booleans(),
)
words = st.one_of(
    st.sampled_from(
        ["", "running", "set_weight", "../x", "=1+1", "\x1b[31m", "\ud800", "a" * 5000]
    ),
    st.text(max_size=8),
)
NAMES = [
    *("format", "state", "epoch", "best_epoch", "message", "since", "heartbeat", "process", "pid"),
    *("started", "host", "event", "batch", "time", "loss", "value", "losses", "weights", "valid"),
    *("smoothness", "seconds", "command", "sent", "layer.id.0.users.mad", "bpr", "recall@20"),
]
values = st.recursive(
    st.one_of(st.none(), numbers, words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), words), inner, max_size=5),
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=8)


def text_of(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


contents = st.one_of(objects.map(text_of), values.map(text_of), st.binary(max_size=60))


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """``content`` with some bytes replaced, inserted or left out, or cut off."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from("rico"))
        if kind == "r" and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == "i":
            data[at:at] = draw(st.binary(min_size=1, max_size=9))
        elif kind == "o":
            del data[at : at + draw(st.integers(1, 40))]
        else:
            del data[at:]
    return bytes(data)


def require_sentence(error: RedndError) -> None:
    """One line of bounded length, which a terminal can show."""
    assert "\n" not in str(error)
    assert 0 < len(str(error).encode()) < 9_000


@MANY
@given(changes=objects, content=st.none() | contents)
def test_status(finished: Run, changes: dict, content: bytes | None) -> None:
    whole = {"format": 1, "state": "running", "since": 1.0, "heartbeat": 1.0} | changes
    finished.layout.status.write_bytes(text_of(whole) if content is None else content)
    try:
        assert finished.status.state in StatusRecord.model_fields["state"].annotation.__args__
    except RunError as error:
        require_sentence(error)


@MANY
@given(lines=st.lists(contents, max_size=6))
def test_journal(finished: Run, lines: list[bytes]) -> None:
    finished.layout.metrics.write_bytes(b"\n".join(lines) + b"\n")
    for look in (finished.metrics, finished.events, lambda: Follower(finished).read().epochs):
        try:
            look()
        except RunError as error:
            require_sentence(error)


epochs, batches = st.integers(0, 6), st.integers(0, 3)
rows = st.one_of(
    st.fixed_dictionaries({"epoch": st.integers(1, 6)}),
    st.fixed_dictionaries({"event": st.just("paused"), "epoch": epochs, "batch": batches}),
    st.fixed_dictionaries({"event": st.just("continued"), "epoch": epochs, "batch": batches}),
    st.just({"event": "failed"}),
)


@MANY
@given(history=st.lists(rows, max_size=30))
def test_epochs_that_hold_always_grow(history: list[dict]) -> None:
    lines = [parse_line(json.dumps(row).encode(), "r", 1) for row in history]
    held = Journal(lines).rows
    numbers = [row["epoch"] for row in held if "event" not in row]
    assert numbers == sorted(set(numbers))
    assert not history or held[-1] == history[-1], "the newest row always holds"


@MANY
@given(content=contents, name=st.sampled_from(["1-0", "2-f"]))
def test_control(finished: Run, content: bytes, name: str) -> None:
    stamp, tail = name.split("-")
    file = finished.layout.control / f"{int(stamp):020d}-{tail * 8}.json"
    file.write_bytes(content)
    reader = ControlReader(finished.path)
    assert all(isinstance(command, Command) for command in reader.waiting())
    assert all(isinstance(command, Command) for command in reader.poll())
    assert not file.exists()


@MANY
@given(content=contents, changes=objects)
def test_configuration(record: RunRecord, content: bytes, changes: dict) -> None:
    whole = json.loads(record.model_dump_json())
    for text in (content, text_of(whole | changes), text_of(whole | {"provenance": changes})):
        try:
            parse_record(RunRecord, text, "config.json")
        except RunError as error:
            require_sentence(error)


@MANY
@given(data=st.data())
def test_archive(zipped: bytes, tmp_path: Path, data: st.DataObject) -> None:
    store = RunStore(tmp_path / "target")
    files = files_of(zipped)
    if data.draw(st.booleans(), label="whole archive damaged"):
        content = data.draw(damaged(zipped))
    else:
        name = data.draw(st.sampled_from(sorted(files)))
        changed = data.draw(st.one_of(contents, damaged(files[name])))
        content = pack(files | {name: changed}, compression=zipfile.ZIP_DEFLATED)
    try:
        run = import_archive(content, store)
    except RedndError as error:
        require_sentence(error)
        assert list(store.list()) == []
        assert not store.root.exists() or list(store.root.iterdir()) == []
    else:
        (entry,) = store.list()
        assert entry.problem == ""
        run.metrics(), run.events(), run.evaluation(), run.per_user(), run.snapshots()
        store.delete(run.name, for_good=True)
        (store.root / ".jobs.lock").unlink()


@MANY
@given(
    data=st.data(), metadata=st.dictionaries(st.sampled_from(["format", "model", "epoch"]), words)
)
def test_checkpoint(
    record: RunRecord, checkpoint: bytes, tmp_path: Path, data: st.DataObject, metadata: dict
) -> None:
    length = struct.unpack_from("<Q", checkpoint)[0]
    head = json.loads(checkpoint[8 : 8 + length])
    head["__metadata__"] |= metadata
    text = text_of(head)
    changed = struct.pack("<Q", len(text)) + text + checkpoint[8 + length :]
    content = data.draw(st.one_of(st.just(changed), damaged(checkpoint), st.binary(max_size=80)))
    store = RunStore(tmp_path / "target")
    try:
        run = import_checkpoint(content, record.model_dump_json().encode(), store)
    except RedndError as error:
        require_sentence(error)
        assert list(store.list()) == []
    else:
        store.delete(run.name, for_good=True)


@pytest.fixture(scope="module")
def entry() -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, a=np.arange(6, dtype=np.float32), b=np.zeros((2, 0), np.int64))
    return buffer.getvalue()


@MANY
@given(data=st.data())
def test_cache(entry: bytes, tmp_path: Path, data: st.DataObject) -> None:
    (tmp_path / "k.npz").write_bytes(data.draw(st.one_of(damaged(entry), st.binary(max_size=80))))
    found = ArrayCache(None, bundled=[tmp_path]).get("k")
    assert found is None or isinstance(found, dict)
