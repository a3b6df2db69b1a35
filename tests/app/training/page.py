"""What the tests of the Live training page look at."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT
from rednd_core.runs import (
    Command,
    ControlReader,
    ModelFacts,
    RunStore,
    RunWriter,
)
from tests.app import sent

HOME = str(PROJECT_ROOT / "app" / "main.py")
FACTS = ModelFacts.uniform(("image", "text"), 2, 4)
N_USERS, N_ITEMS = 30, 20


def row(epoch: int, settings: dict[str, Any]) -> dict[str, Any]:
    smoothness = {
        f"layer.{modality}.{layer}.{side}.mad": 0.1 * epoch + layer
        for modality in FACTS.modalities
        for layer in range(3)
        for side in ("users", "items")
    }
    return {
        "epoch": epoch,
        "losses": {"bpr": 1 / epoch},
        "weights": {"bpr": 1.0}
        | {
            loss: settings[name]
            for loss, name in (("alignment", "alignment_weight"), ("regularization", "reg_weight"))
            if name in settings
        },
        "valid": {"recall@20": {1: 0.1, 2: 0.3}.get(epoch, 0.2)},
        "smoothness": smoothness,
        "seconds": {"train": 0.5, "validation": 0.25, "smoothness": 0.25},
    }


FORM = ("train.open", "train.all")
MANAGE = ("manage.open",)


def open_page(opened: tuple[str, ...] = (), job: str | None = None) -> AppTest:
    app = AppTest.from_file(HOME, default_timeout=180)
    app.run().switch_page("../pages/4_Training.py")
    if job is not None:
        app.session_state["job"] = job
    for key in {"train.open", "train.all", "manage.open", *opened}:
        app.session_state[key] = key in opened
    app.run()
    assert not app.exception
    return app


def charts(app: AppTest) -> dict[str, dict[str, Any]]:
    """What is sent to the browser's charts, by their keys; figures parsed."""
    return {chart["key"]: chart for chart in sent.charts(app)}


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    return {key: chart["figure"] for key, chart in charts(app).items()}


def drawn_run(app: AppTest) -> str:
    """The run whose losses are drawn."""
    file_name: str = charts(app)["losses"]["config"]["toImageButtonOptions"]["filename"]
    return file_name.removesuffix("-losses")


def words(app: AppTest) -> str:
    parts = (*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success)
    return "\n".join(part.value for part in parts)


def commands(writer: RunWriter) -> list[Command]:
    return ControlReader(writer.path).waiting()


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def files_of(store: RunStore) -> list[str]:
    return sorted(str(path) for path in store.root.rglob("*"))


def upload(app: AppTest, *files: tuple[str, bytes, str]) -> AppTest:
    app.file_uploader[0].set_value(list(files)).run()
    return app.button(key="manage.import").click().run()
