"""Format 2: layers of any width and depth, and readouts that no rule gives. Format 1 stays readable."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from rednd_core.errors import CheckpointError, RunError
from rednd_core.readout import Readout
from rednd_core.runs import (
    LayerFacts,
    ModelFacts,
    Run,
    RunRecord,
    RunStore,
    RunWriter,
    create_run,
    export,
    import_archive,
)
from rednd_core.runs.reading import parse_record
from tests.runs.transfer.archives import files_of, npy, pack, refuse

SHAPES = {
    "by rule": ModelFacts.uniform(("id",), 2, 4, readout=Readout("sum", 1)),
    "side by side": ModelFacts(widths={"id": (4, 3, 2)}, readout=Readout("concat")),
    "wide features": ModelFacts(
        widths={"image": (9, 4, 4, 4), "text": (6, 4)}, readout=Readout("last")
    ),
    "with more than the rule": ModelFacts(
        widths={"id": (4, 4, 4), "image": (7, 2)}, readout_widths={"id": (4, 4, 4), "image": (5, 5)}
    ),
}


def filled(widths, value: float):
    """Modality -> an array a layer, all of one value; 3 users and 2 items."""
    return {
        modality: [np.full((5, width), value + k, np.float32) for k, width in enumerate(of)]
        for modality, of in widths.items()
    }


def save(writer: RunWriter, facts: LayerFacts, value: float, epoch: int) -> None:
    users, items = np.full((3, 6), value, np.float32), np.full((2, 6), value, np.float32)
    readouts = filled(facts.readout_widths or {}, value + 100)
    writer.save_layers(filled(facts.widths, value), users, items, epoch=epoch, readouts=readouts)


@pytest.fixture(params=SHAPES)
def facts(request: pytest.FixtureRequest) -> ModelFacts:
    return SHAPES[request.param]


@pytest.fixture
def shaped(store: RunStore, record: RunRecord, facts: ModelFacts) -> Run:
    """A finished run of that shape."""
    writer = create_run(store.root / "shaped", record.model_copy(update={"model": facts}))
    save(writer, facts, 1.0, epoch=3)
    writer.status("finished", epoch=3)
    return store.open("shaped")


def test_written_and_read(shaped: Run, facts: ModelFacts) -> None:
    assert shaped.record.model == facts
    index = shaped.layers()
    assert index.facts == facts.of_layers
    assert list(index) == list(facts.modalities)
    for modality, widths in facts.widths.items():
        assert [x.shape for x in index[modality]] == [(5, width) for width in widths]
        assert [float(x[0, 0]) for x in index[modality]] == [1.0 + k for k in range(len(widths))]
        found = list(index.readouts(modality))
        if facts.readout_widths is None:
            expected = facts.readout(list(index[modality]))
        else:
            expected = filled(facts.readout_widths, 101.0)[modality]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
        assert found[-1].shape[1] == facts.scored_widths[modality]


def test_only_what_no_rule_gives_is_recorded(shaped: Run, facts: ModelFacts) -> None:
    recorded = {path.name for path in shaped.path.glob("readouts/*")}
    widths = facts.readout_widths or {}
    assert recorded == {f"{m}_{k}.npy" for m, of in widths.items() for k in range(len(of))}


def test_exported_and_imported(shaped: Run, facts: ModelFacts, tmp_path: Path) -> None:
    archive = export(shaped, tmp_path / "shaped.zip")
    arrived = import_archive(archive, RunStore(tmp_path / "elsewhere"))
    assert arrived.record.model == facts
    own, theirs = shaped.layers(), arrived.layers()
    for modality in facts.modalities:
        for one, other in (
            (own[modality], theirs[modality]),
            (list(own.readouts(modality)), list(theirs.readouts(modality))),
        ):
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_readers_never_see_two_epochs_mixed(shaped: Run, facts: ModelFacts) -> None:
    writer, done = RunWriter(shaped.path), threading.Event()

    def rewrite() -> None:
        for epoch in range(200, 230):
            save(writer, facts, float(epoch), epoch)
        done.set()

    save(writer, facts, 199.0, 199)
    thread = threading.Thread(target=rewrite)
    thread.start()
    while not done.is_set():
        index = shaped.layers()
        first = [float(states[0][0, 0]) for states in index.values()]
        first += [float(states[0][0, 0]) - 100 for states in index.recorded.values()]
        assert set(first) == {float(index.epoch)}
    thread.join()


@pytest.mark.parametrize("missing", ["layers", "readouts"])
def test_a_part_that_is_missing_is_named(shaped: Run, facts: ModelFacts, missing: str) -> None:
    files = sorted((shaped.path / missing).glob("*_1.npy"))
    if not files:
        assert facts.readout_widths is None
        return
    files[0].unlink()
    with pytest.raises(
        RunError, match=rf"shaped/{missing}/{files[0].name}, but found no such file"
    ):
        shaped.layers()


def test_a_writer_refuses_other_shapes(shaped: Run, facts: ModelFacts) -> None:
    writer, version = RunWriter(shaped.path), shaped.layer_version
    users, items = np.zeros((3, 6), np.float32), np.zeros((2, 6), np.float32)
    good, readouts = filled(facts.widths, 0.0), filled(facts.readout_widths or {}, 0.0)
    modality = facts.modalities[0]
    wider = {**good, modality: [np.zeros((5, 11), np.float32), *good[modality][1:]]}
    shorter = {**good, modality: good[modality][:-1]}
    for bad in (wider, shorter):
        with pytest.raises(RunError, match="layers of the shapes"):
            writer.save_layers(bad, users, items, epoch=4, readouts=readouts)
    others = {} if readouts else filled(facts.widths, 0.0)
    with pytest.raises(RunError, match="readouts of the shapes"):
        writer.save_layers(good, users, items, epoch=4, readouts=others)
    assert shaped.layer_version == version
    assert not list(shaped.path.rglob("*.tmp"))


def model_of(change: dict) -> dict:
    return json.loads(SHAPES["with more than the rule"].model_dump_json()) | change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"widths": {}}, "at least 1 item"),
        ({"widths": {"id": []}}, "at least 1 item"),
        ({"widths": {"id": [0]}}, "greater than or equal to 1"),
        ({"widths": {"id": [10**9]}}, "less than or equal to 65536"),
        ({"widths": {"id": [1] * 1002}}, "at most 1001 items"),
        ({"widths": {f"m{i}": [1] for i in range(17)}}, "at most 16 items"),
        ({"widths": {"id": ["4"]}}, "valid integer"),
        ({"widths": {"id": [4], "ID": [4]}}, "differ by more than case"),
        ({"widths": {"id": [4, 4, 4], "image": [7, 2, 2]}}, "one readout for each layer"),
        ({"readout_widths": {"id": [4, 4, 4]}}, "one readout for each layer"),
        ({"readout_widths": None}, "layers of one width in image"),
        ({"readout": {"rule": "median", "first": 0}}, "'mean', 'sum', 'last', 'concat' or 'max'"),
        ({"readout": {"rule": "mean", "first": 2}}, "0 or 1"),
        ({"readout": {"rule": "mean", "first": 0, "x": 1}}, "Unexpected keyword argument"),
        ({"readout": "mean"}, "readout"),
        ({"embedding_size": 4}, "Extra inputs"),
    ],
)
def test_impossible_facts_are_one_sentence(record: RunRecord, change: dict, sentence: str) -> None:
    text = json.loads(record.model_dump_json()) | {"model": model_of(change)}
    with pytest.raises(RunError) as caught:
        parse_record(RunRecord, json.dumps(text), "config.json")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def format_1(finished: Run) -> Run:
    """The run as version 0.1 wrote it."""
    config = json.loads(finished.layout.config.read_text())
    config["format"] = 1
    config["model"] = {
        "modalities": ["id"],
        "n_layers": 2,
        "embedding_size": 4,
        "readout": "mean",
        "linear_propagation": True,
    }
    index = {
        "format": 1,
        "modalities": ["id"],
        "n_layers": 2,
        "shape": [5, 4],
        "readout": "mean",
        "epoch": 2,
        "written": 7,
    }
    finished.layout.config.write_text(json.dumps(config))
    finished.layout.layer_index.write_text(json.dumps(index))
    return finished


def test_format_1_is_read(format_1: Run) -> None:
    facts = format_1.record.model
    assert facts == ModelFacts.uniform(("id",), 2, 4, linear_propagation=True)
    index = format_1.layers()
    assert (index.facts, index.version) == (facts.of_layers, "2-7")
    assert [float(z[0, 0]) for z in index.readouts("id")] == [7.0, 7.5, 8.0]


@pytest.mark.parametrize("rewritten", ["none", "config", "layers"])
def test_format_1_travels(format_1: Run, tmp_path: Path, arrays, rewritten: str) -> None:
    """Also where one of its two files has been written anew."""
    writer = RunWriter(format_1.path)
    if rewritten == "config":
        record = writer.record
        writer.describe(record.provenance, record.data, record.model)
    elif rewritten == "layers":
        writer.save_layers(*arrays(9.0), epoch=2)
    arrived = import_archive(export(format_1, tmp_path / "r.zip"), RunStore(tmp_path / "elsewhere"))
    assert arrived.record.model == format_1.record.model
    assert arrived.layers().facts == format_1.layers().facts


@pytest.mark.parametrize("format_says", [1, None])
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_layers": 10**9}, "less than or equal to 1000"),
        ({"embedding_size": 0}, "greater than or equal to 1"),
        ({"readout": "sum"}, "'mean' or 'last'"),
        ({"modalities": ["id", "ID"]}, "differ by more than case"),
        ({"modalities": ["../x"]}, "should match pattern"),
        ({"widths": {"id": [4]}}, "Extra inputs"),
    ],
)
def test_impossible_facts_of_format_1(
    format_1: Run, change: dict, sentence: str, format_says: int | None
) -> None:
    config = json.loads(format_1.layout.config.read_text())
    config["model"] |= change
    if format_says is None:
        del config["format"]
    format_1.layout.config.write_text(json.dumps(config))
    with pytest.raises(RunError) as caught:
        _ = format_1.record
    assert sentence in str(caught.value)
    assert "config.json" in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [5, 0]},
        {"shape": [5, 10**9]},
        {"shape": [5]},
        {"shape": [-5, 4]},
        {"n_layers": 10**9},
        {"n_layers": -1},
        {"readout": "sum"},
        {"modalities": ["../../x"]},
        {"modalities": []},
        {"facts": None},
    ],
)
def test_impossible_indices_of_format_1(format_1: Run, change: dict) -> None:
    index = json.loads(format_1.layout.layer_index.read_text()) | change
    format_1.layout.layer_index.write_text(json.dumps(index))
    with pytest.raises(RunError, match=r"a valid done/layers/index\.json"):
        format_1.layers()


@pytest.fixture
def packed(store: RunStore, record: RunRecord, tmp_path: Path) -> dict[str, bytes]:
    """An archive's files: a run with recorded readouts."""
    facts = SHAPES["with more than the rule"]
    writer = create_run(store.root / "done", record.model_copy(update={"model": facts}))
    save(writer, facts, 1.0, epoch=3)
    writer.status("finished", epoch=3)
    return files_of(export(store.open("done"), tmp_path / "done.zip").read_bytes())


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("readouts/id_0.npy", None, "readouts/id_0.npy (in the archive), but found no such file"),
        ("readouts/id_0.npy", npy(np.zeros((5, 9), np.float32)), "of shape (5, 4) in readouts"),
        ("readouts/id_0.npy", npy(np.zeros((5, 4))), "float64"),
        ("readouts/id_0.npy", npy(np.array([object()] * 20)), "readouts/id_0.npy"),
        ("readouts/id_3.npy", npy(np.zeros((5, 4), np.float32)), "only the layers and readouts"),
        ("readouts/users.npy", npy(np.zeros((3, 4), np.float32)), "only the files of a run folder"),
        ("readouts/../id_0.npy", b"", "inside the run folder"),
        ("readouts/id_0.pt", b"", "may hold a pickle"),
    ],
)
def test_hostile_readouts(packed, target: RunStore, name: str, content, sentence: str) -> None:
    files = {key: value for key, value in packed.items() if key != f"done/{name}"}
    if content is not None:
        files[f"done/{name}"] = content
    refuse(pack(files), target, sentence)


def test_an_index_of_other_facts(packed, target: RunStore) -> None:
    index = json.loads(packed["done/layers/index.json"])
    index["facts"]["readout_widths"] = None
    index["facts"]["widths"] = {"id": [4, 4, 4], "image": [2, 2]}
    packed["done/layers/index.json"] = json.dumps(index).encode()
    refuse(pack(packed), target, "the layers of config.json")


def test_readouts_without_layers(packed, target: RunStore) -> None:
    files = {name: content for name, content in packed.items() if "/layers/" not in name}
    refuse(pack(files), target, "layers/index.json")


def test_a_folder_of_readouts_is_part_of_the_run(store: RunStore, packed, target) -> None:
    arrived = import_archive(pack(packed), target)
    size = arrived.disk_bytes
    shutil.rmtree(arrived.layout.readouts)
    assert arrived.disk_bytes < size
    with pytest.raises(RunError, match="readouts"):
        arrived.layers()
    with pytest.raises(CheckpointError, match="readouts"):
        import_archive(export(arrived, target.root.parent / "broken.zip"), target)
