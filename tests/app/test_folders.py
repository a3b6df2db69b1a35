"""The app can be found one's way in: no folder has many files, and the tests have the same folders."""

from __future__ import annotations

from rednd_core.config import PROJECT_ROOT

APP = PROJECT_ROOT / "app"
MOST_FILES = 15
NOT_SOURCE = ("__pycache__", ".streamlit")
FOLDERS = [APP, *(f for f in sorted(APP.iterdir()) if f.is_dir() and f.name not in NOT_SOURCE)]


def test_no_folder_has_more_files_than_one_sees_at_once() -> None:
    sizes = {folder.name: sum(file.is_file() for file in folder.iterdir()) for folder in FOLDERS}
    assert {name: n for name, n in sizes.items() if n > MOST_FILES} == {}


def test_every_page_has_its_view_and_its_tests() -> None:
    pages = [folder.name for folder in FOLDERS if (folder / "view.py").exists()]
    assert len(pages) == 1 + len(
        list((PROJECT_ROOT / "pages").glob("*.py"))
    )  # Home has no file there
    assert [name for name in pages if not (PROJECT_ROOT / "tests" / "app" / name).is_dir()] == []
