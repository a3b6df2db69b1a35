"""The Data page: the report of any folder or upload, and safe handling of what is uploaded."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import state
from app.data import uploads
from app.data import view as data
from app.data.uploads import save_upload
from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig
from rednd_core.data import check, inspection, load_dataset
from rednd_core.errors import DataError
from rednd_core.runs import Provenance, RunRecord, RunStore, create_run
from tests.app.forbid import forbid
from tests.app.sent import figures

PAGE = str(PROJECT_ROOT / "pages" / "5_Data.py")
pytestmark = pytest.mark.usefixtures("store")


def open_page(path: Path | str | None = None) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    if path is not None:
        app.query_params["dataset"] = str(path)
    return app.run()


def captions(app: AppTest) -> str:
    return "\n".join(element.value for element in app.caption)


def test_the_sample_is_shown_at_once_with_the_core_s_numbers() -> None:
    app = open_page()
    assert not app.exception
    assert not app.error
    found = check("sample_data/shop").interactions
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Users"] == f"{found.n_users:,}"
    assert shown["Items"] == f"{found.n_items:,}"
    assert shown["Density"] == f"{found.density:.3%}"
    assert f"{found.n_train:,} train" in captions(app)
    charts = figures(app)
    assert len(charts) == 2
    assert f"Gini {found.gini:.2f}" in charts[1]["layout"]["title"]["text"]
    (features,) = [frame.value for frame in app.dataframe if "modality" in frame.value]
    assert features["modality"].tolist() == ["image", "text"]
    assert features["rows"].tolist() == [600, 600]


def test_a_permalink_opens_any_folder(planted_folder: Path) -> None:
    app = open_page(planted_folder)
    assert app.selectbox[0].value == str(planted_folder)
    assert {metric.label: metric.value for metric in app.metric}["Users"] == "40"


def test_data_sets_of_runs_are_offered_with_their_settings(
    store: RunStore, planted_folder: Path
) -> None:
    config = DataConfig(path=str(planted_folder), split="random", ratios=(0.5, 0.25, 0.25))
    record = RunRecord(config=RunConfig(model="mf", data=config), provenance=Provenance(seed=1))
    create_run(store.root / "some", record)
    app = open_page(planted_folder)
    assert str(planted_folder) in app.selectbox[0].options
    wanted = check(planted_folder, split="random", ratios=(0.5, 0.25, 0.25)).interactions
    assert wanted.n_train != check(planted_folder).interactions.n_train
    assert f"{wanted.n_train:,} train" in captions(app)


def test_every_problem_is_a_sentence_and_nothing_more_is_drawn(
    planted_folder: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    for file in planted_folder.iterdir():
        (bad / file.name).write_bytes(file.read_bytes())
    np.save(bad / "image_feat.npy", np.full((30, 2), np.nan))
    np.save(bad / "text_feat.npy", np.ones((29, 2)))
    app = open_page(bad)
    assert not app.exception
    assert len(app.error) == len(check(bad).errors) == 2
    assert not figures(app)
    assert not [button for button in app.button if "training" in button.label]


@pytest.mark.parametrize("path", ["/no/such/folder", "~nobody-of-that-name/x", "bad\0name"])
def test_a_path_that_leads_nowhere_is_a_sentence(path: str) -> None:
    app = open_page(path)
    assert not app.exception
    assert len(app.error) == 1


def test_a_typed_path_may_begin_like_the_chosen_one() -> None:
    app = open_page()
    assert app.selectbox[0].value == "sample_data/shop"
    app.text_input("dataset.typed").set_value(" sample_data/shop/items.tsv ").run()
    assert not app.exception
    assert app.selectbox[0].value == "sample_data/shop/items.tsv"
    assert app.query_params["dataset"] == "sample_data/shop/items.tsv"
    assert len(app.error) == 1
    # The box takes what is typed for a search: it offers nothing else.
    assert not app.selectbox[0].proto.accept_new_options


def test_a_typed_path_stays_until_another_one_is_chosen(planted_folder: Path) -> None:
    app = open_page()
    app.text_input("dataset.typed").set_value(f"{planted_folder}s").run()
    assert not app.exception
    assert len(app.error) == 1
    assert app.text_input("dataset.typed").value == f"{planted_folder}s"  # to be corrected
    app.text_input("dataset.typed").set_value(str(planted_folder)).run()
    assert not app.error
    assert app.text_input("dataset.typed").value == app.selectbox[0].value == str(planted_folder)
    app.selectbox[0].set_value("sample_data/shop").run()
    assert app.text_input("dataset.typed").value == ""  # not two answers to one question


def test_a_folder_without_a_name_is_called_by_its_path() -> None:
    (error,) = open_page("/").error
    assert "table of users and items in \\/, but" in error.value


def test_a_card_has_the_id_of_its_item_once(planted_folder: Path) -> None:
    cards = [m.value for m in open_page(planted_folder).markdown if "in train" in m.value]
    assert len(cards) == 12
    assert {card.count("id ") for card in cards} == {1}


def test_what_is_prepared_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data.prepare()
    forbid(monkeypatch, "rednd_core.data.check", "rednd_core.data.load_configured")
    app = open_page()
    assert not app.exception
    assert len(figures(app)) == 2


def test_the_order_of_the_items_can_be_chosen(planted_folder: Path) -> None:
    data = load_dataset(planted_folder)
    app = open_page(planted_folder)

    def counts() -> list[int]:
        lines = [m.value for m in app.markdown if "in train" in m.value]
        return [int(line.split(" in train")[0].split()[-1].strip("·")) for line in lines]

    ranked = sorted(data.item_degrees.tolist(), reverse=True)
    assert counts() == ranked[:12]
    app.get("button_group")[-1].set_value("least popular").run()
    assert counts() == ranked[::-1][:12]
    assert "12 of 30 items" in captions(app)


def test_hostile_titles_read_literally(planted_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    for file in planted_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    items = folder / "items.csv"
    items.write_text(items.read_text().replace("Thing", "<img src=x> [a](b)"))
    app = open_page(folder)
    assert not app.exception
    cards = [m.value for m in app.markdown if "in train" in m.value]
    assert len(cards) == 12
    assert all(r"\<img src\=x\> \[a\]\(b\)" in card for card in cards)


def test_the_folder_goes_to_the_training_page(planted_folder: Path) -> None:
    home = PROJECT_ROOT / "app" / "main.py"
    app = AppTest.from_file(str(home), default_timeout=180)
    app.query_params["dataset"] = str(planted_folder)
    app.run().switch_page(PAGE).run()
    next(button for button in app.button if "training" in button.label).click().run()
    assert not app.exception
    assert app.session_state[state.DATA_PATH] == str(planted_folder)
    assert "Data" not in [title.value for title in app.title]


@dataclass
class File:
    name: str
    content: bytes = b"x"

    @property
    def size(self) -> int:
        return len(self.content)

    def getbuffer(self) -> memoryview:
        return io.BytesIO(self.content).getbuffer()


def test_an_upload_is_read_like_the_folder_it_came_from(
    planted_folder: Path, tmp_path: Path
) -> None:
    files = [File(file.name, file.read_bytes()) for file in planted_folder.iterdir()]
    saved = save_upload(files, tmp_path)
    assert saved.name == "interactions"
    assert load_dataset(saved).digest == load_dataset(planted_folder).digest


def test_uploads_are_removed_when_the_server_ends(planted_folder: Path) -> None:
    script = (
        "from app.data.uploads import upload_root\n"
        "folder = upload_root() / 'set'\n"
        "folder.mkdir()\n"
        "print(upload_root())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, check=True, capture_output=True, text=True
    )
    folder = Path(ended.stdout.strip())
    assert folder.name.startswith("rednd-upload-")
    assert not folder.exists()


def test_a_server_removes_what_killed_ones_left_and_nothing_of_those_that_live(
    tmp_path: Path,
) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    begin = "from app.data.uploads import upload_root\nprint(upload_root(), flush=True)\n"

    def started(then: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", begin + then]
        return subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )

    with started("import time\ntime.sleep(600)") as living:
        assert living.stdout is not None
        kept = Path(living.stdout.readline().strip())
        with started("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)") as killed:
            left = Path(killed.communicate()[0].strip())
        assert left.exists()
        with started("") as third:
            third.communicate()
        assert not left.exists()
        assert kept.exists()
        living.kill()


def test_an_upload_says_how_long_it_lives(planted_folder: Path) -> None:
    assert "removed when the app ends" not in captions(open_page(planted_folder))
    files = [File(file.name, file.read_bytes()) for file in planted_folder.iterdir()]
    saved = save_upload(files, uploads.upload_root())
    assert "removed when the app ends" in captions(open_page(saved))


def test_an_upload_may_be_named_in_capitals(planted_folder: Path, tmp_path: Path) -> None:
    files = [File(file.name.upper(), file.read_bytes()) for file in planted_folder.glob("*.csv")]
    saved = save_upload(files, tmp_path)
    assert saved.name == "INTERACTIONS"
    assert load_dataset(saved).n_items == load_dataset(planted_folder).n_items


def test_a_parquet_upload_is_read_like_its_file(tmp_path: Path) -> None:
    table = pd.DataFrame({"userID": [0, 0, 1, 1], "itemID": [0, 1, 1, 2], "x_label": [0, 1, 0, 2]})
    table.to_parquet(tmp_path / "clicks.parquet")
    files = [File("clicks.parquet", (tmp_path / "clicks.parquet").read_bytes())]
    saved = save_upload([File("users.csv", b"userID,name\n0,Ann\n"), *files], tmp_path / "root")
    assert saved.name == "clicks"
    assert load_dataset(saved).digest == load_dataset(tmp_path / "clicks.parquet").digest


def test_folders_of_parquet_are_offered(tmp_path: Path, monkeypatch) -> None:
    for name, files in {"a": ["x.parquet"], "b": ["x.inter"], "c": ["x.inter", "y.inter"]}.items():
        (tmp_path / "sample_data" / name).mkdir(parents=True)
        for file in files:
            (tmp_path / "sample_data" / name / file).write_bytes(b"")
    monkeypatch.setattr("app.shared.data_paths.PROJECT_ROOT", tmp_path)
    assert open_page().selectbox[0].options == ["sample_data/a", "sample_data/b"]


def test_what_was_understood_is_on_the_page(tmp_path: Path) -> None:
    rows = [
        f"u{u},i{(u + k) % 9},{1 + k % 5},{1_500_000_000 + k}" for u in range(8) for k in range(5)
    ]
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n" + "\n".join(rows) + "\n"
    )
    (tmp_path / "links.csv").write_text("movieId,imdbId,userId\ni1,2,u1\n")
    app = open_page(tmp_path)
    assert not app.exception
    assert "MovieLens\\: ratings" in captions(app)
    assert any("links" in caption.value for caption in app.caption)
    (first,) = [frame.value for frame in app.dataframe if "user" in frame.value]
    assert first.iloc[0].tolist()[:3] == ["u0", "i0", "1"]
    app.number_input(key=f"reading.{tmp_path}.threshold").set_value(4.0).run()
    app.selectbox(key=f"reading.{tmp_path}.split").select("leave_last_out").run()
    assert not app.exception
    assert "24 rows with a rating below 4" in captions(app)


def test_a_packed_upload_is_read(tmp_path: Path) -> None:
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "shop/log.tsv", "user\titem\n" + "".join(f"{u}\t{i}\n" for u in "ab" for i in "xyz")
        )
    saved = save_upload([File("shop.zip", packed.getvalue())], tmp_path / "root")
    assert (load_dataset(saved).n_users, load_dataset(saved).n_items) == (2, 3)


def test_only_the_last_part_of_a_name_counts(tmp_path: Path) -> None:
    saved = save_upload([File("../../up.inter"), File("C:\\x\\items.tsv")], tmp_path / "root")
    assert sorted(file.name for file in saved.iterdir()) == ["items.tsv", "up.inter"]
    assert saved.is_relative_to(tmp_path / "root")


@pytest.mark.parametrize(
    "names",
    [
        ["set.rar"],
        ["model.pkl"],
        [".hidden.csv"],
        ["a;b.csv"],
        ["a.inter", "A.inter"],
        ["a.inter\n"],
    ],
)
def test_archives_strange_names_and_twins_are_refused(names: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError):
        save_upload([File(name) for name in names], tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_too_many_and_too_large_uploads_are_refused(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(DataError, match="at most 16 files"):
        save_upload([File(f"{k}.csv") for k in range(17)], tmp_path)
    monkeypatch.setattr(uploads, "MAX_BYTES", 3)
    with pytest.raises(DataError, match="at most"):
        save_upload([File("a.csv", b"1234")], tmp_path)


@pytest.mark.confined
@pytest.mark.skipif(sys.platform != "linux", reason="other systems bound no memory")
def test_an_upload_that_costs_too_much_is_refused_and_leaves_nothing(
    planted_folder: Path, tmp_path: Path, monkeypatch
) -> None:
    """A Parquet file of 720 kB took 5.9 GB of the app's memory."""
    monkeypatch.setattr(inspection, "MEMORY_BYTES", 24 << 20)  # not enough for any table
    with pytest.raises(DataError, match="the uploaded data set to be read"):
        save_upload(
            [File(file.name, file.read_bytes()) for file in planted_folder.iterdir()], tmp_path
        )
    assert list(tmp_path.iterdir()) == []


def test_an_uploaded_pickle_is_never_run(planted_folder: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    pickled = io.BytesIO()
    np.save(pickled, np.array([[Bomb()]], dtype=object), allow_pickle=True)
    files = [File(file.name, file.read_bytes()) for file in planted_folder.iterdir()]
    files = [f for f in files if f.name != "text_feat.npy"]
    saved = save_upload([*files, File("text_feat.npy", pickled.getvalue())], tmp_path / "root")
    report = check(saved)
    assert not report.ok
    assert not (tmp_path / "ran").exists()


def test_an_upload_says_its_limit_and_what_to_do_above_it() -> None:
    app = AppTest.from_file(PAGE, default_timeout=180)
    app.query_params["where"] = "Upload"
    (hint,) = [each.value for each in app.run().info]
    assert f"{st.get_option('server.maxUploadSize')} MB" in hint
    assert "On this machine" in hint
