"""State dicts of the usual programs: the tables are found, and nothing is unpickled."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch

from rednd_core.errors import CheckpointError
from rednd_core.foreign.imported import How, import_vectors
from rednd_core.runs import Run, RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def padded(values: np.ndarray) -> torch.Tensor:
    return torch.cat([torch.zeros(1, values.shape[1]), torch.tensor(values)])


def recbole(users: np.ndarray, items: np.ndarray) -> dict:
    """As RecBole nests it, without its configuration object."""
    tables = {"user_embedding.weight": padded(users), "item_embedding.weight": padded(items)}
    return {"state_dict": tables, "other_parameter": None, "cur_step": 3, "best_valid_score": 0.2}


def mmrec(users: np.ndarray, items: np.ndarray) -> dict:
    return {
        "user_embedding.weight": torch.tensor(users),
        "item_id_embedding.weight": torch.tensor(items),
        "image_embedding.weight": torch.ones(len(items), 20),
        "image_trs.weight": torch.ones(6, 20),
    }


def lightgcn_pytorch(users: np.ndarray, items: np.ndarray) -> dict:
    return {
        "embedding_user.weight": torch.tensor(users),
        "embedding_item.weight": torch.tensor(items),
    }


def selfrec(users: np.ndarray, items: np.ndarray) -> dict:
    return {
        "embedding_dict.user_emb": torch.tensor(users),
        "embedding_dict.item_emb": torch.tensor(items),
    }


def pyg(users: np.ndarray, items: np.ndarray) -> dict:
    whole = torch.tensor(np.concatenate([users, items]))
    return {"model": {"alpha": torch.ones(4), "embedding.weight": whole}, "optimizer": {"w": whole}}


PROGRAMS = {
    "RecBole": (recbole, "appearance"),
    "MMRec": (mmrec, "ids"),
    "LightGCN-PyTorch": (lightgcn_pytorch, "ids"),
    "SELFRec": (selfrec, "appearance"),
    "PyG": (pyg, "ids"),
}


def require_same(run: Run, users: np.ndarray, items: np.ndarray) -> None:
    for found, wanted in zip(run.embeddings(), (users, items), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("program", PROGRAMS)
def test_tables_are_found_by_their_usual_names(
    world, store: RunStore, tmp_path: Path, program: str
) -> None:
    make, order = PROGRAMS[program]
    users, items = world.by_ids() if order == "ids" else world.by_appearance()
    torch.save(make(users, items), tmp_path / "model.pth")
    run, said = import_vectors([tmp_path / "model.pth"], store, data=world.config)
    require_same(run, *world.by_ids())
    assert any("without propagation" in sentence for sentence in said)
    assert ("[PAD]" in " ".join(said)) == (program == "RecBole")


def test_half_precision_becomes_float32(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    halves = {name: x.bfloat16() for name, x in lightgcn_pytorch(users, items).items()}
    torch.save(halves, tmp_path / "model.pt")
    run, _ = import_vectors([tmp_path / "model.pt"], store, data=world.config)
    np.testing.assert_allclose(run.embeddings()[0], users, rtol=1e-2, atol=1e-2)


def test_named_tables(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    torch.save({"P": torch.tensor(users), "Q": torch.tensor(items)}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=r"P \(40, 6\), Q \(32, 6\).*--user-key"):
        import_vectors([tmp_path / "model.pt"], store, data=world.config)
    how = How(user_key="P", item_key="Q", propagate=2)
    run, said = import_vectors([tmp_path / "model.pt"], store, data=world.config, how=how)
    np.testing.assert_allclose(run.layers()["id"][0][: len(users)], users, rtol=1e-5)
    assert run.record.model.n_layers == 2
    assert not any("without propagation" in sentence for sentence in said)
    wrong = How(user_key="R", item_key="Q")
    with pytest.raises(CheckpointError, match="a matrix 'R'"):
        import_vectors([tmp_path / "model.pt"], store, data=world.config, how=wrong)


class Config:
    """Stands for RecBole's configuration: an object of a class that this project does not have."""


@pytest.mark.parametrize(
    "beside", [Config(), argparse.Namespace(dim=3), torch.nn.Linear(2, 2)], ids=type
)
def test_foreign_objects_are_never_built(
    world, store: RunStore, tmp_path: Path, beside: object
) -> None:
    content = {"config": beside, **recbole(*world.by_ids())}
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(
        CheckpointError, match=r"torch\.save\(model\.state_dict\(\), 'model\.pth'\)"
    ):
        import_vectors([tmp_path / "model.pth"], store, data=world.config)
    assert list(store.list()) == []


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.touch, (self.mark,)


def test_no_code_of_a_checkpoint_runs(world, store: RunStore, tmp_path: Path) -> None:
    torch.save({"config": Bomb(tmp_path / "ran")}, tmp_path / "model.pth")
    with pytest.raises(CheckpointError):
        import_vectors([tmp_path / "model.pth"], store, data=world.config)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("junk", [b"x", b"PK\x03\x04" + b"0" * 100, b"\x80\x02K\x01."])
def test_junk_is_one_sentence(world, store: RunStore, tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "model.pth").write_bytes(junk)
    with pytest.raises(CheckpointError):
        import_vectors([tmp_path / "model.pth"], store, data=world.config)


def test_a_checkpoint_of_a_gpu_is_read_on_a_cpu(world, store: RunStore, tmp_path: Path) -> None:
    """The storages of the file say cuda:0, as they do where a GPU has written them."""
    users, items = world.by_ids()
    torch.save(lightgcn_pytorch(users, items), tmp_path / "model.pth")
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.pth") as archive:
        files = {info.filename: archive.read(info) for info in archive.infolist()}
    pickled = next(name for name in files if name.endswith("data.pkl"))
    assert files[pickled].count(b"X\x03\x00\x00\x00cpu") > 0
    files[pickled] = files[pickled].replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    with zipfile.ZipFile(tmp_path / "cuda.pth", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    run, _ = import_vectors([tmp_path / "cuda.pth"], store, data=world.config)
    require_same(run, users, items)


@pytest.mark.confined
def test_a_process_of_its_own_reads_a_checkpoint(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    torch.save(mmrec(users, items), tmp_path / "model.pth")
    run, _ = import_vectors([tmp_path / "model.pth"], store, data=world.config)
    require_same(run, users, items)
