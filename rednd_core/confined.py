"""Look at a foreign file in a process of its own, which has a deadline and a bound of memory.

A file of some kilobytes can ask its reader for gigabytes or hours, or abort the reader's whole process.
So what came from elsewhere is read by ``python -m rednd_core.confined`` first; the app and the command
line go on only where that process has answered. The memory is bounded where the system can do so
(:mod:`resource`); the deadline holds everywhere.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from typing import Any

from rednd_core import errors
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import DataError, RedndError

SECONDS = 300.0
MEMORY_BYTES = 2 * 1024**3
FILE_BYTES = 8 * 1024**3
"""The largest file that a confined process may write."""
ENDING_SECONDS = 10.0
TAIL_BYTES = 2_000


def run(
    task: str,
    *arguments: str,
    what: str,
    seconds: float = SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Any:
    """What the function ``task`` returns for ``arguments``, called in a process of its own.

    Args:
        task: ``"package.module:function"``; it takes texts and returns what JSON can say.
        what: what is looked at, for the sentence: ``"the archive"``.

    Raises:
        RedndError: what the function raised, or a :class:`DataError` where it needed more time or
            memory, or where its process broke down.
    """
    limits = json.dumps({"seconds": seconds, "memory_bytes": memory_bytes})
    command = [sys.executable, "-m", "rednd_core.confined", limits, task, *arguments]
    paths = [str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")]
    # A thread of OpenBLAS or OpenMP has a stack each, and nothing here is worth a second thread.
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {
        **os.environ,
        **one_thread,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
        try:
            answer, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise _too_much(what, f"no end within {seconds:.0f} seconds") from None
        finally:
            _end(process)
        return _understood(answer, process.returncode, what, memory_bytes, said)


def _understood(answer: bytes, code: int, what: str, memory_bytes: int, said: Any) -> Any:
    try:
        told = json.loads(answer)
    except ValueError:
        told = {"broken": f"exit code {code}"}
    if "result" in told:
        return told["result"]
    if "refused" in told:
        kind, expected, found, remedy = told["refused"]
        raise getattr(errors, kind)(expected=expected, found=found, remedy=remedy)
    if "memory" in told:
        raise _too_much(what, f"a need for more than {memory_bytes >> 20} MB")
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - TAIL_BYTES))
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    raise DataError(
        expected=f"{what} to be readable",
        found=f"that its reader broke down ({lines[-1][:200] if lines else told['broken']})",
        remedy="choose another file",
    )


def _too_much(what: str, found: str) -> DataError:
    return DataError(
        expected=f"{what} to be read with little time and memory",
        found=found,
        remedy="choose a smaller file",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whatever happened, nothing of the process remains."""
    if process.poll() is None:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDING_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def _limit(seconds: float, memory_bytes: int) -> None:
    """Bound this process, as far as the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = {
        # Not the address space: the layers of a run are mapped, and that costs no memory.
        "RLIMIT_DATA": memory_bytes,
        "RLIMIT_CPU": int(seconds) + 1,
        "RLIMIT_FSIZE": FILE_BYTES,
        "RLIMIT_CORE": 0,
    }
    for name, bound in bounds.items():
        with suppress(AttributeError, OSError, ValueError):  # not of this system
            number = getattr(resource, name)
            most = resource.getrlimit(number)[1]
            if most != resource.RLIM_INFINITY:
                bound = min(bound, most)
            resource.setrlimit(number, (bound, bound))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing raises OSError


def _main() -> None:
    limits, task, *arguments = sys.argv[1:]
    _limit(**json.loads(limits))
    module, _, name = task.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
        told: dict[str, Any] = {"result": function(*arguments)}
    except RedndError as error:
        told = {"refused": [type(error).__name__, error.expected, error.found, error.remedy]}
    except MemoryError:
        told = {"memory": True}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _main()
