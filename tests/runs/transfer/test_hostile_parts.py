"""Archives in order with a part that is not: records, layers, tables, parameters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rednd_core.runs import RunStore, import_archive
from tests.runs.transfer.archives import HOSTILE_SAFETENSORS, files_of, npy, pack, refuse

STAMP = "0123456789abcdef" * 2


@pytest.mark.parametrize("file", ["config.json", "status.json", "evaluation.json"])
@pytest.mark.parametrize("text", ['{"format": 3}', "{", "[" * 50_000, "null", "\xff"])
def test_broken_records(zipped: bytes, target: RunStore, file: str, text: str) -> None:
    files = files_of(zipped) | {f"done/{file}": text.encode("latin-1")}
    formats = "1 or 2" if file == "config.json" else "1"
    kind = f"format {formats} in" if text == '{"format": 3}' else "a valid"
    refuse(pack(files), target, f"Expected {kind} {file} (in the archive), but found")


def test_the_archive_is_named(zipped: bytes, target: RunStore, tmp_path: Path) -> None:
    files = files_of(zipped) | {"done/metrics.jsonl": b"not json\n"}
    (tmp_path / "theirs.zip").write_bytes(pack(files))
    refuse(tmp_path / "theirs.zip", target, "in metrics.jsonl (in theirs.zip), but found")
    files = files_of(zipped) | {"done/per_user.csv": b"user\n1\n"}
    (tmp_path / "theirs.zip").write_bytes(pack(files))
    refuse(tmp_path / "theirs.zip", target, "as per_user.csv (in theirs.zip), but found")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("metrics.jsonl", b'{"epoch": 1}\nnot json\n', "in line 2"),
        ("metrics.jsonl", b'{"event": "set_weight"}\n', "in line 1"),
        ("metrics.jsonl", b'{"epoch": 1, "losses": {"bpr": "x"}}\n', "in line 1"),
        ("checkpoints/last.json", b"[]", "a JSON object in last.json"),
        ("layers/index.json", b"{}", "a valid layers/index.json"),
        ("readouts/id_0.npy", b"", "only the layers and readouts that layers/index.json lists"),
        ("readouts/index.json", b"{}", "only the files of a run folder"),
        ("snapshots/index.json", b"{}", "a valid snapshots/index.json"),
        ("snapshots/9.npy", b"", "a float16 matrix of shape (3, 12) in snapshots/9.npy"),
        ("snapshots/9.npy", npy(np.zeros((3, 12))), "float64 of shape (3, 12)"),
        ("snapshots/9.npy", npy(np.full((3, 12), np.nan, np.float16)), "NaN or infinity"),
        ("snapshots/9.npy", npy(np.array([object()] * 36)), "snapshots/9.npy"),
        ("snapshots/nodes.npy", npy(np.array([0, 2, 9], np.int32)), "not ascending node numbers"),
        ("snapshots/09.npy", b"", "only the files of a run folder"),
        ("snapshots/9.pt", b"", "may hold a pickle"),
        ("layers/id_7.npy", b"", "only the layers and readouts that layers/index.json lists"),
    ],
)
def test_broken_parts(zipped, target: RunStore, name: str, content: bytes, sentence: str) -> None:
    refuse(pack(files_of(zipped) | {f"done/{name}": content}), target, sentence)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("data", {"n_users": 4}),
        ("data", {"n_users": 2, "n_items": 3}),
        ("model", {"widths": {"id": [8, 8, 8]}}),
        ("model", {"widths": {"id": [4, 4]}}),
        ("model", {"widths": {"id": [4, 4, 4], "image": [4]}}),
        ("model", {"readout": {"rule": "sum", "first": 0}}),
        ("model", {"readout": {"rule": "mean", "first": 1}}),
        ("model", {"readout_widths": {"id": [4, 4, 4]}}),
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


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_nodes": 6}, "but found 6 nodes"),
        ({"widths": {"id": [4, 4, 4, 4]}}, "snapshots of the layers of config.json"),
        ({"widths": {"id": [4, 4]}}, "float16 matrix of shape (3, 8)"),
        ({"widths": {"id": [4, 8]}}, "snapshots of the layers of config.json"),
        ({"widths": {"image": [4, 4, 4]}}, "snapshots of the layers of config.json"),
        ({"n_kept": 2**40}, "int32 vector of shape (1099511627776,)"),
        ({"n_kept": 0}, "a valid snapshots/index.json"),
        ({"more": 1}, "a valid snapshots/index.json"),
    ],
)
def test_snapshots_of_other_layers(zipped: bytes, target: RunStore, change, sentence: str) -> None:
    files = files_of(zipped)
    index = json.loads(files["done/snapshots/index.json"]) | change
    files["done/snapshots/index.json"] = json.dumps(index).encode()
    refuse(pack(files), target, sentence)


def test_snapshots_without_an_index(zipped: bytes, target: RunStore) -> None:
    files = files_of(zipped)
    del files["done/snapshots/index.json"]
    refuse(pack(files), target, "an index.json in the folder snapshots")


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\\b", "Ä", "x y", ""])
def test_modalities_with_odd_characters(zipped: bytes, target: RunStore, name: str) -> None:
    files = files_of(zipped)
    config = json.loads(files["done/config.json"])
    config["model"]["widths"] = {name: [4, 4, 4]}
    files["done/config.json"] = json.dumps(config).encode()
    refuse(pack(files), target, "at model.widths")


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


@pytest.mark.parametrize("kind", HOSTILE_SAFETENSORS)
@pytest.mark.parametrize("name", ["best", f"last.{STAMP}", f"last.{STAMP}.state"])
def test_hostile_safetensors_in_archives(zipped, target: RunStore, kind: str, name: str) -> None:
    files = files_of(zipped) | {f"done/checkpoints/{name}.safetensors": HOSTILE_SAFETENSORS[kind]}
    refuse(pack(files), target, f"a whole safetensors file in {name}.safetensors")
