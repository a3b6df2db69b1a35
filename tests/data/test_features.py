"""Feature files: float32 and finite, or one clear sentence."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rednd_core.data import features, load_dataset
from rednd_core.data.features import feature_files, read_features, require_distinct
from rednd_core.data.layouts.source import open_source
from rednd_core.errors import DataError


def save(folder, values, name="image_feat.npy"):
    path = folder / name
    np.save(path, values, allow_pickle=True)
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", ">f4"])
def test_real_numbers_become_float32(tmp_path, dtype):
    table = read_features(save(tmp_path, np.array([[1, 2, 3], [4, 5, 6]], dtype=dtype)))
    assert table.modality == "image"
    assert table.values.dtype == np.float32
    assert table.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.dtype == np.dtype(dtype).name
    assert table.notices == ()


def test_values_are_a_writable_copy_in_row_order(tmp_path):
    path = save(tmp_path, np.asfortranarray([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32))
    values = read_features(path).values
    assert values.flags.c_contiguous
    values[0, 0] = 9  # reaches memory only
    assert read_features(path).values[0, 0] == 1


def test_float16_is_converted_before_any_sum(tmp_path):
    table = read_features(save(tmp_path, np.full((3, 100), 60000, dtype=np.float16)))
    assert float(table.values.sum(axis=1)[0]) == pytest.approx(6e6, rel=1e-3)
    assert [(n.code, n.count) for n in table.notices] == [("float16_features", 3)]


def test_rows_of_zeros_are_counted(tmp_path):
    table = read_features(save(tmp_path, np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])))
    assert table.n_zero_rows == 2
    assert [(n.code, n.count) for n in table.notices] == [("zero_features", 2)]


def test_the_feature_files_of_a_folder(tmp_path):
    for name in ("text_feat.npy", "audio_feat.npy", "user_graph.npy", "._text_feat.npy"):
        save(tmp_path, np.ones((1, 1)), name)
    (tmp_path / "dir_feat.npy").mkdir()
    assert [p.name for p in feature_files(open_source(tmp_path))] == [
        "audio_feat.npy",
        "text_feat.npy",
    ]


BAD_VALUES = {
    "NaN and inf": ([[1, np.nan], [2, 3], [np.inf, -np.inf]], ["1 NaN, 2 inf", "2 rows", "row 0"]),
    "beyond float32": (np.array([[1.0, 2.0], [1e39, 1.0]]), ["1 too large", "1 row (", "row 1"]),
    "lengths beyond float32": (
        np.array([[1.0, -2e16], [1e15, 1.0]], dtype=np.float32),
        ["up to 1e+16", "0 infinite", "1 too large", "1 row (", "row 0"],
    ),
    "1-D": (np.ones(3), ["2-D", "shape (3,)"]),
    "3-D": (np.ones((2, 2, 2)), ["2-D", "shape (2, 2, 2)"]),
    "no column": (np.ones((2, 0)), ["2-D", "shape (2, 0)"]),
    "text": (np.array([["a"]]), ["real numbers", "<U1"]),
    "complex": (np.array([[1j]]), ["real numbers", "complex128"]),
    "truth": (np.array([[True]]), ["real numbers", "bool"]),
    "objects": (np.array([[{}]], dtype=object), ["plain numbers", "pickled Python objects"]),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_bad_values(tmp_path, case):
    values, key_words = BAD_VALUES[case]
    with pytest.raises(DataError) as raised:
        read_features(save(tmp_path, values))
    for words in (*key_words, "image_feat.npy"):
        assert words in str(raised.value)


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones((2, 2)))
    return buffer.getvalue()


def npy(claimed: str) -> bytes:
    """The header of an array of shape ``claimed`` and four bytes of data."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {claimed}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 4


BAD_BYTES = {
    "raw pickle": (pickle.dumps([1, 2]), "pickled"),
    "archive": (npz(), "another format"),
    "junk": (b"junk, not an array", "another format"),
    "a pointer to the file": (b"version https://git-lfs.github.com/spec/v1\n", "another format"),
    "cut off": (npy("(2, 2)"), "damaged"),
    "claims a petabyte": (npy("(1000000000000, 256)"), "damaged"),
    "overflows": (npy("(" + "9" * 30 + ", 2)"), "damaged"),
    "negative": (npy("(-1, 2)"), "damaged|shape"),
    "unclosed header": (npy("(((("), "damaged"),
    "empty": (b"", "an empty file"),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_bad_bytes(tmp_path, case):
    content, words = BAD_BYTES[case]
    path = tmp_path / "image_feat.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_features(path)


def test_a_pickle_is_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "raw_feat.npy").write_bytes(pickle.dumps(Bomb()))
    save(tmp_path, np.array([[Bomb()]], dtype=object), "array_feat.npy")
    for name in ("raw_feat.npy", "array_feat.npy"):
        with pytest.raises(DataError, match="pickled Python objects, which can run code"):
            read_features(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["id", "ID", "", "a b", "é", "-a", "x" * 65])
def test_modality_names(tmp_path, name):
    with pytest.raises(DataError, match="rename the file"):
        read_features(save(tmp_path, np.ones((1, 1)), f"{name}_feat.npy"))


@pytest.mark.parametrize("name", ["CLIP-image", "Text", "2d", "a_1", "x" * 64])
def test_letters_digits_dashes_and_underscores_name_modalities(tmp_path, name):
    assert read_features(save(tmp_path, np.ones((1, 1)), f"{name}_feat.npy")).modality == name


def test_names_that_differ_by_case_only_are_refused():
    require_distinct(["image", "text"])
    with pytest.raises(DataError, match=r"found Image_feat\.npy and image_feat\.npy; rename one"):
        require_distinct(["Image", "image", "text"])


def test_files_beyond_the_limit_and_absent_files(tmp_path):
    path = save(tmp_path, np.ones((1, 1)))
    os.truncate(path, 4 * 2**30 + 1)
    with pytest.raises(DataError, match="at most 4 GiB"):
        read_features(path)
    with pytest.raises(DataError, match="readable file"):
        read_features(tmp_path / "text_feat.npy")


@pytest.mark.parametrize("order", ["C", "F"])
def test_large_float32_files_are_mapped_and_never_written(tmp_path, monkeypatch, order):
    monkeypatch.setattr(features, "MAPPED_BYTES", 100)
    path = save(tmp_path, np.asarray(np.arange(60).reshape(20, 3), dtype=np.float32, order=order))
    values = read_features(path).values
    assert isinstance(values, np.memmap) == (order == "C")
    assert values.flags.c_contiguous
    assert values.tolist() == np.arange(60).reshape(20, 3).tolist()
    values[0, 0] = 9  # torch wants writable memory; it reaches no file
    assert read_features(path).values[0, 0] == 0


@pytest.mark.parametrize("name", ["float16", ">f4", "float64"])
def test_large_files_of_other_types_are_converted(tmp_path, monkeypatch, name):
    monkeypatch.setattr(features, "MAPPED_BYTES", 10)
    values = read_features(save(tmp_path, np.arange(60).reshape(20, 3).astype(name))).values
    assert (values.dtype, values.sum()) == (np.float32, 1770)


@pytest.mark.parametrize("rows_a_block", [1, 3, 100])
def test_blocks_change_no_count(tmp_path, monkeypatch, rows_a_block):
    monkeypatch.setattr(features, "_BLOCK_VALUES", 2 * rows_a_block)
    values = np.ones((10, 2))
    values[[2, 7]] = 0
    assert read_features(save(tmp_path, values)).n_zero_rows == 2
    values[4], values[8] = [np.nan, np.inf], [1e39, np.nan]
    words = r"2 NaN, 1 infinite and 1 too large values in 2 rows \(the first is row 4\)"
    with pytest.raises(DataError, match=words):
        read_features(save(tmp_path, values))


@pytest.mark.parametrize("packed", ["inside", "beside", "gz"])
def test_features_of_an_archive(tmp_path: Path, packed: str) -> None:
    """In the archive itself, in its folder, or packed one by one: the same features, the same digest."""
    folder, zipped = tmp_path / "plain", tmp_path / "zipped"
    folder.mkdir()
    zipped.mkdir()
    rows = [f"{user},{item}" for user in range(6) for item in range(4) if item != user]
    (folder / "pairs.csv").write_text("\n".join(["user_id,item_id", *rows]) + "\n")
    np.save(folder / "image_feat.npy", np.arange(8, dtype=np.float32).reshape(4, 2))
    with zipfile.ZipFile(zipped / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "pairs.csv", "set/pairs.csv")
        if packed == "inside":
            archive.write(folder / "image_feat.npy", "set/image_feat.npy")
    if packed == "beside":
        shutil.copy(folder / "image_feat.npy", zipped)
    if packed == "gz":
        content = (folder / "image_feat.npy").read_bytes()
        (zipped / "image_feat.npy.gz").write_bytes(gzip.compress(content))
    expected = load_dataset(folder)
    place = zipped if packed == "gz" else zipped / "set.zip"
    if packed == "gz":
        shutil.copy(folder / "pairs.csv", zipped)
        (zipped / "set.zip").unlink()
    found = load_dataset(place)
    assert found.digest == expected.digest
    np.testing.assert_array_equal(found.features["image"], expected.features["image"])
    assert not any("feat" in name for name in found.left_out)


@pytest.mark.parametrize(
    "content",
    [b"\x80\x04junk", b"\x93NUMPY\x01\x00", b"", np.lib.format.MAGIC_PREFIX + b"\x09\x00"],
)
def test_damaged_features_of_an_archive(tmp_path: Path, content: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("pairs.csv", "user_id,item_id\n1,2\n1,3\n2,3\n")
        archive.writestr("image_feat.npy", content)
    with pytest.raises(DataError, match="image_feat"):
        load_dataset(tmp_path / "set.zip")


def test_a_header_that_claims_too_much_allocates_nothing(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**9, 10**6)}
    )
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("pairs.csv", "user_id,item_id\n1,2\n1,3\n2,3\n")
        archive.writestr("image_feat.npy", header.getvalue())
    with pytest.raises(DataError, match="a complete NumPy array"):
        load_dataset(tmp_path / "set.zip")
