"""An archive whose names, entries or sizes are not those of a run folder is refused."""

from __future__ import annotations

import errno
import shutil
import stat
import struct
import zipfile

import pytest

from rednd_core.errors import StorageError
from rednd_core.runs import RunStore, archive, budgets, import_archive
from tests.runs.transfer.archives import files_of, pack, refuse

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
    refuse(pack([*files_of(zipped).items(), (info, b"/etc/passwd")]), target, "a link or a device")


@pytest.mark.parametrize(
    "name",
    ["done/notes.md", "other/log.txt", "done/layers/extra/id_0.npy", "done/run.py", "__MACOSX/x"],
)
def test_unknown_files(zipped: bytes, target: RunStore, name: str) -> None:
    refuse(pack(files_of(zipped) | {name: b"x"}), target, "only the files of a run folder")


def test_a_file_twice(zipped: bytes, target: RunStore) -> None:
    pairs = [*files_of(zipped).items(), ("done/log.txt", b"once"), ("done/log.txt", b"again")]
    refuse(pack(pairs), target, "log.txt twice")


def test_no_or_two_configs(zipped: bytes, target: RunStore) -> None:
    files = files_of(zipped)
    refuse(pack(files | {"more/config.json": b"{}"}), target, "one config.json")
    del files["done/config.json"]
    refuse(pack(files), target, "one config.json")


def test_declared_bombs(zipped: bytes, target: RunStore, monkeypatch) -> None:
    bomb = pack(
        files_of(zipped) | {"done/layers/id_9.npy": bytes(10_000_000)},
        compression=zipfile.ZIP_DEFLATED,
    )
    assert len(bomb) < 50_000
    monkeypatch.setattr(budgets, "RUN_BYTES", 5_000_000)
    refuse(bomb, target, "at most 5000000 bytes once unpacked")


def test_bombs_of_text_and_of_files(zipped: bytes, target: RunStore, monkeypatch) -> None:
    monkeypatch.setitem(budgets._BY_NAME, "log.txt", 2_000)
    refuse(
        pack(files_of(zipped) | {"done/log.txt": bytes(2_001)}),
        target,
        "at most 2000 bytes in log.txt, but found 2001",
    )
    monkeypatch.setattr(budgets, "RUN_FILES", 5)
    refuse(zipped, target, "at most 5 files")


def test_more_than_the_free_disk(zipped: bytes, target: RunStore, monkeypatch) -> None:
    usage = shutil.disk_usage(target.root)._replace(free=100)
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageError, match="free some space") as caught:
        import_archive(zipped, target)
    assert caught.value.found == "100 bytes"
    assert list(target.root.iterdir()) == []


ROLES = ["config.json", "status.json", "evaluation.json", "checkpoints/last.json"]


@pytest.mark.parametrize("name", [*ROLES, "layers/index.json"])
def test_every_record_is_small(zipped: bytes, target: RunStore, name: str) -> None:
    """A config.json of 100 MB in an archive of 100 kB slowed every list of runs to 7.5 seconds."""
    fat = files_of(zipped) | {f"done/{name}": b" " * (1024**2 + 1)}
    refuse(pack(fat, compression=zipfile.ZIP_DEFLATED), target, f"at most 1048576 bytes in {name}")


@pytest.mark.parametrize("name", ["metrics.jsonl", "per_user.csv", "log.txt"])
def test_text_that_is_packed_too_tightly(zipped: bytes, target: RunStore, name: str) -> None:
    fat = files_of(zipped) | {f"done/{name}": b"0,valid,0\n" * 300_000}
    content = pack(fat, compression=zipfile.ZIP_DEFLATED)
    refuse(content, target, f"{name} packed at most 100 to 1, but found 3000000 bytes in")


def test_a_run_that_is_packed_too_tightly(zipped: bytes, target: RunStore, monkeypatch) -> None:
    monkeypatch.setattr(budgets, "ANY_TOTAL_BYTES", 1_000_000)
    bomb = files_of(zipped) | {"done/layers/id_9.npy": bytes(20_000_000)}
    refuse(pack(bomb, compression=zipfile.ZIP_DEFLATED), target, "bytes once unpacked")


def test_a_full_disk_is_not_the_archives_fault(zipped, target: RunStore, monkeypatch) -> None:
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device", "done/log.txt")

    monkeypatch.setattr(archive, "_copy", full)
    with pytest.raises(StorageError, match="found a full disk; free some space"):
        import_archive(zipped, target)
    assert list(target.root.iterdir()) == []


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
