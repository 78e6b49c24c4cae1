"""One mutant in a copy of the project, and whether its tests fail."""

from __future__ import annotations

import contextlib
import importlib
import math
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path

from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult

from scripts.mutants.configuration import ROOT, Configuration, Module

MEMORY_BYTES = 3 * 1024**3
"""A mutant may build a list without end: its tests fail before the machine does."""

TIMEOUT = "timeout"
"""What is kept of a mutant whose tests did not end in time."""

_IGNORED = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "dist", "build")
_PYTEST = (
    *("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci"),
    # What is preloaded cannot have its assertions rewritten.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


def run_tests(folder: Path, tests: Sequence[str], timeout: float) -> bool | None:
    """Run tests in a copy of the project, in a process of their own.

    Args:
        timeout: seconds after which the process and its children are ended.

    Returns:
        Whether all passed; None if the time ran out.
    """
    process = os.fork()
    if process == 0:
        _run_pytest(folder, tests, timeout)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            _end_group(process)  # a failed test may leave a process behind
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    _end_group(process)
    os.waitpid(process, 0)
    return None


def _run_pytest(folder: Path, tests: Sequence[str], timeout: float) -> None:
    """Never returns: it ends the forked process with pytest's exit code."""
    code = 70
    try:
        os.setsid()
        signal.alarm(math.ceil(timeout) + 10)  # its parent may have been ended meanwhile
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
        output = os.open(folder / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(folder)
        import pytest

        code = int(pytest.main([*_PYTEST, *tests]))
    except BaseException:  # noqa: BLE001  # nothing may escape into the code of the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_group(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


class Worker:
    """A process of the pool with its own copy of the project."""

    folder: Path

    @classmethod
    def start(cls, parent: Path, preload: Sequence[str]) -> None:
        """Copy the project, and import what every test run would import first."""
        cls.folder = Path(tempfile.mkdtemp(dir=parent))
        shutil.copytree(ROOT, cls.folder, ignore=_IGNORED, dirs_exist_ok=True)
        # The checkout is on the path of whoever runs this; tests must import the copy.
        sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
        for name in preload:
            importlib.import_module(name)

    @classmethod
    def measure(cls, module: Module) -> float:
        """Return how many seconds the tests of an unchanged module take."""
        started = time.monotonic()
        if not run_tests(cls.folder, module.tests, 600):
            raise SystemExit(
                f"The tests of {module.path} fail without any mutant:\n{cls._read_log()}"
            )
        return time.monotonic() - started

    @classmethod
    def try_out(cls, item: WorkItem, module: Module, slack: float, seconds: float) -> WorkResult:
        """Run the tests on one mutant.

        Args:
            slack: seconds that the tests may take beyond four times what they usually take.
            seconds: what they took on the unchanged module.
        """
        result = cls._run_mutant(item, module, slack + 4 * seconds)
        if result.output == TIMEOUT:
            # It may have been the machine, so what the tests take at present counts.
            result = cls._run_mutant(item, module, slack + 8 * cls.measure(module))
        return result

    @classmethod
    def _run_mutant(cls, item: WorkItem, module: Module, timeout: float) -> WorkResult:
        sys.dont_write_bytecode = True  # what is compiled now is not what the file will say next
        mutation = item.mutations[0]
        path = cls.folder / mutation.module_path.relative_to(ROOT)
        operator = get_operator(mutation.operator_name)(**mutation.operator_args)
        with use_mutation(path, operator, mutation.occurrence) as (before, after):
            if after is None:
                return WorkResult(WorkerOutcome.NO_TEST)
            passed = run_tests(cls.folder, module.tests, timeout)
        return WorkResult(
            WorkerOutcome.NORMAL,
            output=TIMEOUT if passed is None else find_failure(cls._read_log()),
            test_outcome=TestOutcome.SURVIVED if passed else TestOutcome.KILLED,
            diff="\n".join(find_change(before, after)),
        )

    @classmethod
    def _read_log(cls) -> str:
        return (cls.folder / "pytest.log").read_text(encoding="utf-8", errors="replace")


def find_failure(log: str) -> str:
    """Return what pytest says of the first test that failed, or of what kept it from running."""
    failures = (line for line in log.splitlines() if line.startswith(("FAILED ", "ERROR ")))
    return next(failures, "")


def find_change(before: str, after: str) -> tuple[str, str, str]:
    """Return the number, the old and the new text of the line that differs."""
    old, new = before.splitlines(), after.splitlines()
    for tag, first, last, start, end in SequenceMatcher(None, old, new, False).get_opcodes():
        if tag != "equal":
            return str(first + 1), _on_one_line(old[first:last]), _on_one_line(new[start:end])
    return "0", "", ""


def _on_one_line(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())


@contextlib.contextmanager
def start_workers(count: int, configuration: Configuration) -> Iterator[ProcessPoolExecutor]:
    """Start processes with a copy of the project each; the copies are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as parent:
        pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("fork"),
            initializer=Worker.start,
            initargs=(Path(parent), configuration.preload),
        )
        with pool:
            yield pool
