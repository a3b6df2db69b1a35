from __future__ import annotations

import io
import json
import pickle
import random
import shutil
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rednd_core.errors import CheckpointError, RunError
from rednd_core.runs import (
    Run,
    RunStore,
    StatusRecord,
    archive,
    create_run,
    export,
    import_archive,
    import_checkpoint,
)
from rednd_core.runs.atomic import write_json
from rednd_core.runs.liveness import process_record


@pytest.fixture
def zipped(finished: Run, tmp_path: Path) -> bytes:
    return export(finished, tmp_path / "done.zip").read_bytes()


@pytest.fixture
def target(tmp_path: Path) -> RunStore:
    """A store with one run already in it."""
    store = RunStore(tmp_path / "target")
    store.root.mkdir()
    return store


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive_:
        return {name: archive_.read(name) for name in archive_.namelist()}


def pack(files: dict[str | zipfile.ZipInfo, bytes] | list, **options) -> bytes:
    buffer = io.BytesIO()
    pairs = files.items() if isinstance(files, dict) else files
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", **options) as archive_:
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, content in pairs:
            archive_.writestr(name, content)
    return buffer.getvalue()


def refuse(content: bytes | Path, store: RunStore, sentence: str) -> None:
    """``content`` is refused in one sentence that contains ``sentence``; nothing remains of it."""
    before = sorted(path.as_posix() for path in store.root.parent.rglob("*"))
    with pytest.raises(CheckpointError) as caught:
        import_archive(content, store)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(path.as_posix() for path in store.root.parent.rglob("*")) == before


def test_a_run_travels_whole(finished: Run, zipped: bytes, target: RunStore) -> None:
    run = import_archive(zipped, target)
    assert run.name == "done"
    assert run.record == finished.record
    assert run.metrics().equals(finished.metrics())
    assert run.evaluation() == finished.evaluation()
    assert run.per_user().equals(finished.per_user())
    assert run.layer_version == finished.layer_version
    for ours, theirs in zip(run.layers()["id"], finished.layers()["id"], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert run.layout.best_checkpoint.read_bytes() == finished.layout.best_checkpoint.read_bytes()
    assert run.status.state == "finished"
    assert run.status.process is None
    assert [path.name for path in target.root.iterdir()] == ["done"]


def test_names_of_imports(zipped: bytes, target: RunStore, tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(zipped)
    assert import_archive(tmp_path / "file.zip", target).name == "done"
    assert import_archive(zipped, target).name == "lightgcn-shop-1"
    assert import_archive(zipped, target, name="mine").name == "mine"
    with pytest.raises(CheckpointError, match="no run called mine"):
        import_archive(zipped, target, name="mine")
    with pytest.raises(CheckpointError, match="a run name"):
        import_archive(zipped, target, name="../up")
    assert len(list(target.root.iterdir())) == 3


def test_a_hand_made_zip_of_the_folder_works(finished: Run, target: RunStore, tmp_path) -> None:
    (finished.layout.control / f"{1:020d}-0123abcd.json").write_text("{}")
    write_json(finished.layout.job, process_record(1))
    made = shutil.make_archive(str(tmp_path / "hand"), "zip", finished.path)
    run = import_archive(Path(made), target)
    assert run.status.state == "finished"
    assert not run.layout.job.exists()
    assert not run.layout.control.exists()


def test_links_are_not_exported(finished: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("private")
    finished.layout.log.unlink()
    finished.layout.log.symlink_to(secret)
    (finished.path / "notes.md").write_text("mine")
    names = files_of(export(finished, tmp_path / "x.zip").read_bytes())
    assert "done/config.json" in names
    assert not {"done/log.txt", "done/notes.md"} & set(names)


def test_live_runs_are_not_exported(store, record, tmp_path: Path) -> None:
    create_run(store.root / "live", record).status("running")
    with pytest.raises(RunError, match="found the state running"):
        export(store.open("live"), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_a_lost_run_arrives_as_stopped(finished: Run, target: RunStore, tmp_path: Path) -> None:
    gone = process_record(1).model_copy(update={"started": 1.0})
    write_json(finished.layout.status, StatusRecord(state="running", epoch=2, process=gone))
    run = import_archive(export(finished, tmp_path / "x.zip"), target)
    assert (run.status.state, run.status.epoch) == ("stopped", 2)


ODD_NAMES = [
    "../evil.txt",
    "done/../../evil.txt",
    "/etc/evil.txt",
    "C:/evil.txt",
    "done\\..\\evil.txt",
    "done/layers/id\u202e_0.npy",
    "done/log.txt\n",
    "./done/log.txt",
    "done//log.txt",
    "done/" + "a" * 300,
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(zipped: bytes, target: RunStore, name: str) -> None:
    refuse(pack(files_of(zipped) | {name: b"x"}), target, "file names")


def test_a_name_cut_at_a_null(zipped: bytes, target: RunStore) -> None:
    content = pack(files_of(zipped) | {"done/log.txt#sh": b"x"})
    refuse(content.replace(b"log.txt#sh", b"log.txt\0sh"), target, "plain file names")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices(zipped: bytes, target: RunStore, kind: int) -> None:
    info = zipfile.ZipInfo("done/log.txt")
    info.external_attr = (kind | 0o777) << 16
    files = files_of(zipped)
    del files["done/log.txt"]
    refuse(pack([*files.items(), (info, b"/etc/passwd")]), target, "a link or a device")


@pytest.mark.parametrize(
    "name",
    ["done/notes.md", "other/log.txt", "done/layers/extra/id_0.npy", "done/run.py", "__MACOSX/x"],
)
def test_unknown_files(zipped: bytes, target: RunStore, name: str) -> None:
    refuse(pack(files_of(zipped) | {name: b"x"}), target, "only the files of a run folder")


def test_a_file_twice(zipped: bytes, target: RunStore) -> None:
    pairs = [*files_of(zipped).items(), ("done/log.txt", b"again")]
    refuse(pack(pairs), target, "log.txt twice")


def test_no_or_two_configs(zipped: bytes, target: RunStore) -> None:
    files = files_of(zipped)
    refuse(pack(files | {"more/config.json": b"{}"}), target, "one config.json")
    del files["done/config.json"]
    refuse(pack(files), target, "one config.json")


class Bomb:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("suffix", ["pt", "pth", "pkl", "bin", "PT"])
def test_pickles_are_refused_unopened(zipped, target: RunStore, tmp_path, suffix: str) -> None:
    content = pickle.dumps(Bomb(tmp_path / "pwned"))
    files = files_of(zipped) | {f"done/checkpoints/best.{suffix}": content}
    refuse(pack(files), target, "is never opened")
    assert not (tmp_path / "pwned").exists()


def test_a_torch_checkpoint_and_a_bare_pickle(target: RunStore, tmp_path: Path) -> None:
    content = pickle.dumps(Bomb(tmp_path / "pwned"))
    refuse(pack({"archive/data.pkl": content, "archive/version": b"3"}), target, "never opened")
    refuse(content, target, "a zip archive of a run folder")
    assert not (tmp_path / "pwned").exists()


def test_object_arrays_are_never_unpickled(zipped: bytes, target: RunStore, tmp_path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([[Bomb(tmp_path / "pwned")]], dtype=object), allow_pickle=True)
    for name in ("done/layers/id_1.npy", "done/layers/users.npy"):
        refuse(pack(files_of(zipped) | {name: buffer.getvalue()}), target, "a float32 matrix")
    refuse(
        pack(files_of(zipped) | {"done/layers/id_1.npy": pickle.dumps(Bomb(tmp_path / "pwned"))}),
        target,
        "a float32 matrix",
    )
    assert not (tmp_path / "pwned").exists()


def test_declared_bombs(zipped: bytes, target: RunStore, monkeypatch) -> None:
    bomb = pack(
        files_of(zipped) | {"done/layers/id_9.npy": bytes(10_000_000)},
        compression=zipfile.ZIP_DEFLATED,
    )
    assert len(bomb) < 50_000
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 5_000_000)
    refuse(bomb, target, "at most 5000000 bytes once unpacked")


def test_bombs_of_text_and_of_files(zipped: bytes, target: RunStore, monkeypatch) -> None:
    monkeypatch.setattr(archive, "MAX_TEXT_BYTES", 2_000)
    refuse(
        pack(files_of(zipped) | {"done/log.txt": bytes(2_001)}), target, "2001 in 'done/log.txt'"
    )
    monkeypatch.setattr(archive, "MAX_FILES", 5)
    refuse(zipped, target, "at most 5 files")


def test_more_than_the_free_disk(zipped: bytes, target: RunStore, monkeypatch) -> None:
    usage = shutil.disk_usage(target.root)._replace(free=100)
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage)
    refuse(zipped, target, "at most 50 bytes")


@pytest.mark.parametrize("claim", [10, 1_000_000])
def test_sizes_that_lie(zipped: bytes, target: RunStore, claim: int) -> None:
    """The central directory declares another size than the data has."""
    content = bytearray(
        pack(files_of(zipped) | {"done/log.txt": bytes(5_000)}, compression=zipfile.ZIP_DEFLATED)
    )
    at = content.rindex(b"done/log.txt") - 46 + 24
    assert struct.unpack_from("<I", content, at) == (5_000,)
    struct.pack_into("<I", content, at, claim)
    refuse(bytes(content), target, "found")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions(zipped: bytes, target: RunStore, method: int) -> None:
    refuse(pack(files_of(zipped), compression=method), target, "compressed in another way")


def test_encrypted_entries(zipped: bytes, target: RunStore) -> None:
    content = bytearray(zipped)
    at = content.rindex(b"PK\x01\x02") + 8
    content[at] |= 1
    refuse(bytes(content), target, "encrypted")


@pytest.mark.parametrize("file", ["config.json", "status.json", "evaluation.json"])
@pytest.mark.parametrize("text", ['{"format": 2}', "{", "[" * 50_000, "null", "\xff"])
def test_broken_records(zipped: bytes, target: RunStore, file: str, text: str) -> None:
    files = files_of(zipped) | {f"done/{file}": text.encode("latin-1")}
    refuse(pack(files), target, f"/{file}, but found" if text != '{"format": 2}' else "format 1 in")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("metrics.jsonl", b'{"epoch": 1}\nnot json\n', "in line 2"),
        ("checkpoints/last.json", b"[]", "a JSON object in last.json"),
        ("layers/index.json", b"{}", "a valid layers/index.json"),
        ("layers/id_7.npy", b"", "only the layers that layers/index.json lists"),
    ],
)
def test_broken_parts(zipped, target: RunStore, name: str, content: bytes, sentence: str) -> None:
    refuse(pack(files_of(zipped) | {f"done/{name}": content}), target, sentence)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("data", {"n_users": 4}),
        ("data", {"n_users": 2, "n_items": 3}),
        ("model", {"embedding_size": 8}),
        ("model", {"n_layers": 1}),
        ("model", {"modalities": ["id", "image"]}),
    ],
)
def test_shapes_that_contradict_the_config(zipped, target: RunStore, part: str, change) -> None:
    files = files_of(zipped)
    config = json.loads(files["done/config.json"])
    config[part] |= change
    files["done/config.json"] = json.dumps(config).encode()
    refuse(pack(files), target, "layers")


def test_layers_without_sizes(zipped: bytes, target: RunStore) -> None:
    files = files_of(zipped)
    config = json.loads(files["done/config.json"]) | {"model": None}
    files["done/config.json"] = json.dumps(config).encode()
    refuse(pack(files), target, "sizes in config.json")


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\\b", "Ä", "x y", ""])
def test_modalities_with_odd_characters(zipped: bytes, target: RunStore, name: str) -> None:
    files = files_of(zipped)
    config = json.loads(files["done/config.json"])
    config["model"]["modalities"] = [name]
    files["done/config.json"] = json.dumps(config).encode()
    refuse(pack(files), target, "at model.modalities.0")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the columns ''"),
        ("user,recall\n1,0.5\n", "the columns 'user,recall'"),
        ("user,split,user\n1,test,1\n", "the columns"),
        ("user,split," + ",".join(f"m{i}" for i in range(2_000)), "the columns"),
        ("user,split," + "m" * 20_000, "the columns"),
        ("user,split,m\n1,test,high\n", "could not convert"),
        ("user,split,m\nu1,test,0.5\n", "a per-user table"),
        ("user,split,m\n,test,0.5\n", "a per-user table"),
        ("user,split,m\n3,test,0.5\n", "beyond the 3"),
        ("user,split,m\n-1,test,0.5\n", "beyond the 3"),
        ("user,split,m\n99999999999999999999,test,0.5\n", "a per-user table"),
        ("user,split,m\n1,train,0.5\n", "a per-user table"),
        ("user,split,m\n" + "1,test,0.5\n" * 7, "7 rows"),
        ("user,split,m\n1,test\x00,\xff\n", "a per-user table"),
        ('user,split,m\n1,"test,0.5\n', "a per-user table"),
    ],
)
def test_foreign_tables(zipped, target: RunStore, text: str, found: str) -> None:
    files = files_of(zipped) | {"done/per_user.csv": text.encode("latin-1")}
    refuse(pack(files), target, found)


def test_foreign_parquet_is_left_behind_unopened(zipped: bytes, target: RunStore) -> None:
    files = files_of(zipped) | {"done/per_user.parquet": b"PAR1 but hostile"}
    assert len(import_archive(pack(files), target).per_user()) == 2
    del files["done/per_user.csv"]
    assert import_archive(pack(files), target).per_user() is None


def header(text: bytes, size: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def two_tensors(first: list[int], second: list[int]) -> bytes:
    entry = {"dtype": "F32", "shape": [1]}
    tensors = {
        "__metadata__": {"format": "rednd-1", "model": "lightgcn", "epoch": "2"},
        "a": entry | {"data_offsets": first},
        "b": entry | {"data_offsets": second},
    }
    return header(json.dumps(tensors).encode(), data=bytes(8))


HOSTILE_SAFETENSORS = {
    "empty": b"",
    "huge header": header(b"{}", size=2**62),
    "header beyond the file": header(b"{}", size=100),
    "not json": header(b"{{{{"),
    "overlapping": two_tensors([0, 4], [0, 4]),
    "hole": two_tensors([0, 2], [4, 8]),
    "beyond the end": two_tensors([0, 4], [4, 400]),
    "pickle": pickle.dumps({"state_dict": 1}),
    "zip": pack({"archive/data.pkl": b"x"}),
}


@pytest.mark.parametrize("kind", HOSTILE_SAFETENSORS)
@pytest.mark.parametrize("name", ["best", "last", "last.state"])
def test_hostile_safetensors_in_archives(zipped, target: RunStore, kind: str, name: str) -> None:
    files = files_of(zipped) | {f"done/checkpoints/{name}.safetensors": HOSTILE_SAFETENSORS[kind]}
    refuse(pack(files), target, f"a whole safetensors file in {name}.safetensors")


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
            assert list(target.root.iterdir()) == []
        else:
            target.delete(run.name)
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
            assert list(target.root.iterdir()) == []
        else:
            target.delete(run.name)
    assert refused > 100


def test_a_checkpoint_with_its_config(record, checkpoint: bytes, target: RunStore) -> None:
    run = import_checkpoint(checkpoint, record.model_dump_json().encode(), target)
    assert (run.name, run.status.state) == ("lightgcn-shop-1", "imported")
    assert run.record == record
    assert run.layout.best_checkpoint.read_bytes() == checkpoint
    assert run.layer_version is None
    assert target.list()[0].problem == ""


@pytest.mark.parametrize("kind", HOSTILE_SAFETENSORS)
def test_hostile_checkpoints(record, target: RunStore, kind: str) -> None:
    with pytest.raises(CheckpointError, match="a whole safetensors file in best"):
        import_checkpoint(HOSTILE_SAFETENSORS[kind], record.model_dump_json().encode(), target)
    assert list(target.root.iterdir()) == []


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"format": "rednd-2", "model": "lightgcn", "epoch": "1"},
        {"format": "rednd-1", "model": "bpr", "epoch": "1"},
        {"format": "rednd-1", "model": "lightgcn", "epoch": "one"},
        {"format": "rednd-1", "model": "lightgcn"},
    ],
)
def test_checkpoints_of_other_runs(record, target: RunStore, metadata) -> None:
    from safetensors.numpy import save

    content = save({"a": np.zeros(1, np.float32)}, metadata)
    with pytest.raises(CheckpointError, match="with the metadata"):
        import_checkpoint(content, record.model_dump_json().encode(), target)
    assert list(target.root.iterdir()) == []


@pytest.mark.parametrize("config", [b"", b"{}", b"[" * 90_000, b" " * 5_000_000])
def test_checkpoints_with_a_broken_config(target: RunStore, checkpoint, config: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"a (valid )?config"):
        import_checkpoint(checkpoint, config, target)
    assert list(target.root.iterdir()) == []
