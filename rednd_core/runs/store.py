"""A folder of run folders, beside the read-only runs that are shipped with the project."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rednd_core.atomic import remove_folder
from rednd_core.config import PROJECT_ROOT, RunConfig, resolve_data_path
from rednd_core.errors import RedndError, RunError
from rednd_core.runs import recycle_bin
from rednd_core.runs.facts import DataFacts
from rednd_core.runs.layout import check_run_name, slug
from rednd_core.runs.ownership import preparing, require_over
from rednd_core.runs.record import Provenance, RunRecord, StatusRecord
from rednd_core.runs.recycle_bin import DeletedRun
from rednd_core.runs.run import Run
from rednd_core.runs.writer import RunWriter, create_run
from rednd_core.writable import RUNS_REMEDY, refusal


@dataclass(frozen=True)
class RunEntry:
    """One line of the list of runs.

    Attributes:
        record: None where the folder is broken; ``problem`` then says why, in a sentence.
        status: None where that cannot be read or trusted, either.
    """

    run: Run
    record: RunRecord | None = None
    status: StatusRecord | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.run.name


class RunStore:
    """Runs under ``root``, plus the ``bundled`` folders of runs, which are never changed."""

    def __init__(self, root: Path, bundled: Sequence[Path] = ()) -> None:
        self.root = Path(root).expanduser().resolve()
        self.bundled = tuple(Path(folder).resolve() for folder in bundled)

    def list(self) -> Sequence[RunEntry]:
        """Own runs, newest first, then the bundled ones folder by folder, then broken folders.

        Reads the small JSON files only. A broken folder is an entry, never an exception.
        """
        return sorted((_entry(run) for run in self._runs()), key=self._order)

    def statuses(self) -> Iterator[tuple[str, StatusRecord]]:
        """Name and status of each own run whose status can be read; nothing else of a run is looked at."""
        for path in _folders(self.root):
            with suppress(RedndError, OSError):
                yield path.name, Run(path).status

    def open(self, name: str) -> Run:
        """The run called ``name``; an own run hides a bundled one of the same name."""
        check_run_name(name)
        runs = {run.name: run for run in reversed(list(self._runs()))}
        if name not in runs:
            import difflib

            near = difflib.get_close_matches(name, runs, n=1)
            raise RunError(
                expected=f"a run called {name} in {self.root}",
                found=f"{len(runs)} runs with other names",
                remedy=f"did you mean {near[0]!r}?" if near else "list the runs and choose one",
            )
        return runs[name]

    def delete(self, name: str, *, for_good: bool = False) -> None:
        """Delete an own run that no process works on; :meth:`restore` brings it back.

        Args:
            for_good: not into the bin, e.g. as the disk is full. A link is always removed for good: what
                it points at stays.
        """
        run = self.open(name)
        if run.bundled:
            raise RunError(
                expected="a run of your own", found=f"{name}, a bundled run", remedy="keep it"
            )
        with preparing(self.root):
            if _entry(run).status:  # a broken folder has no state, and can go
                require_over(run)
            if for_good or run.path.is_symlink():
                remove_folder(run.path)
            else:
                recycle_bin.put(self.root, run.path)

    def deleted(self) -> Sequence[DeletedRun]:
        """The deleted runs that can be brought back, newest first."""
        return recycle_bin.contents(self.root)

    def restore(self, name: str) -> Run:
        """Bring back the run called ``name`` that was deleted last.

        Raises:
            RunError: there is none in the bin, or another run has its name by now.
        """
        found = [entry for entry in self.deleted() if entry.name == name]
        if not found:
            names = ", ".join(dict.fromkeys(entry.name for entry in self.deleted()))
            raise RunError(
                expected=f"a deleted run called {name} in the bin",
                found=names or "an empty bin",
                remedy="choose one that is there" if names else "train it again",
            )
        with preparing(self.root):
            place = self.place(name)
            if place.exists():
                raise RunError(
                    expected=f"no run called {name} in {self.root}",
                    found="one",
                    remedy="delete that one first, or leave the other in the bin",
                )
            found[0].path.rename(place)
        return Run(place)

    def empty_bin(self) -> None:
        """Delete for good what :meth:`delete` has kept."""
        with preparing(self.root):
            recycle_bin.empty(self.root)

    def place(self, name: str) -> Path:
        """The folder of a new run called ``name``, which no bundled run is: it would hide that one.

        Raises:
            RunError: the name is not one of a run, or a bundled run's.
        """
        check_run_name(name)
        if any((folder / name).is_dir() for folder in self.bundled if folder != self.root):
            raise RunError(
                expected="a name that no bundled run has",
                found=name,
                remedy="choose another name",
            )
        return self.root / name

    def new_name(self, model: str, dataset: str) -> str:
        """The next free name, e.g. ``lightgcn-baby-3``."""
        stem = f"{slug(model)}-{slug(dataset)}"
        pattern = re.compile(rf"{re.escape(stem)}-(\d{{1,9}})")
        matches = [pattern.fullmatch(run.name) for run in self._runs()]
        return f"{stem}-{max((int(match[1]) for match in matches if match), default=0) + 1}"

    def _order(self, entry: RunEntry) -> tuple[bool, int, float, str]:
        place = self.bundled.index(entry.run.path.parent) + 1 if entry.run.bundled else 0
        age = -entry.record.provenance.created.timestamp() if entry.record else 0.0
        return entry.record is None, place, age, entry.name

    def _runs(self) -> Iterator[Run]:
        for folder in (self.root, *self.bundled):
            for path in _folders(folder):
                yield Run(path, bundled=folder is not self.root)


def new_run(
    store: RunStore, config: RunConfig, name: str | None = None, *, data: DataFacts | None = None
) -> RunWriter:
    """The writer of a new queued run; without ``name`` it gets the next free one.

    Args:
        data: of the run that is trained once more; another data set is then refused.

    Raises:
        RunError: the name is taken or cannot be one.
    """
    with preparing(store.root):
        dataset = resolve_data_path(config.data.path).stem
        folder = store.place(name or store.new_name(config.model, dataset))
        provenance = Provenance(seed=config.training.seed)
        record = RunRecord(config=config, provenance=provenance, data=data)
        return create_run(folder, record)


def default_store(root: Path | None = None) -> RunStore:
    """Runs in ``root``, with the bundled runs of the sample data; None for ``$REDND_RUNS`` or ./runs."""
    if root is None:
        root = Path(os.environ.get("REDND_RUNS") or "runs")
    folders = PROJECT_ROOT.glob("sample_data/*/runs")
    # What the app shows first comes from the shop.
    shop_first = sorted(folders, key=lambda folder: (folder.parent.name != "shop", folder))
    return RunStore(root, bundled=shop_first)


def _folders(folder: Path) -> Sequence[Path]:
    """The visible folders in ``folder``, sorted; none where there is no such folder."""
    try:
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if not p.name.startswith(".") and _is_folder(p))
    except OSError as error:
        raise RunError(
            expected=f"a folder of runs at {folder} that can be read",
            found=refusal(error),
            remedy=RUNS_REMEDY,
        ) from None


def _is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder, or a link to one; one that the system does not show is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _entry(run: Run) -> RunEntry:
    """The run as a line of the list. Looks at all small files that pages read of every run."""
    status = None
    try:
        record = run.record
        status = run.status
        _ = run.layer_version, run.evaluation()
    except (RedndError, OSError) as error:  # OSError: a folder that may not be looked into
        return RunEntry(run, status=status, problem=str(error))
    return RunEntry(run, record, status)
