"""Change the code in small ways and look whether the tests notice.

    python -m scripts.mutants                        every module of scripts/mutants.toml
    python -m scripts.mutants limiter retry          modules whose path contains one of the words
    python -m scripts.mutants --sample 60 jobs       60 mutants of each module
    python -m scripts.mutants --again jobs           only those that stayed unnoticed last time

Cosmic Ray makes the mutants; this module chooses which of them count, runs the tests of their
module and reports. It needs the dependency group `mutants` and a system that can fork. The checkout
is never changed: mutants live in a copy.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from cosmic_ray.ast import get_ast_from_path
from cosmic_ray.commands import init
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

from scripts import mutants_sql

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "scripts" / "mutants.toml"
ACCEPTED = ROOT / "scripts" / "mutants_accepted.toml"
SESSIONS = ROOT / ".mutants"
"""The results of each module's last run, a Cosmic Ray session per module."""

MEMORY_BYTES = 3 * 1024**3
"""A mutant may build a list without end: its tests fail before the machine does."""

_IGNORED = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "dist", "build")
_PYTEST = (
    *("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci"),
    # What is preloaded cannot have its assertions rewritten.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
_BINARY = {"arith_expr", "term", "expr", "xor_expr", "and_expr", "shift_expr", "power"}


@dataclass(frozen=True)
class Module:
    """A module to mutate and the tests that have to notice."""

    path: str
    tests: tuple[str, ...]

    @property
    def session(self) -> Path:
        """Where the results of its last run are."""
        return SESSIONS / f"{self.path.removesuffix('.py').replace('/', '.')}.sqlite"


@dataclass(frozen=True)
class Configuration:
    """What `scripts/mutants.toml` says. Times in seconds."""

    modules: tuple[Module, ...]
    operators: re.Pattern[str]
    excluded: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    preload: tuple[str, ...]
    slack: float
    threshold: float


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed: the line as it was and as it became."""

    path: str
    number: int
    before: str
    after: str
    reason: str = ""
    """Why it is accepted; empty if it is not."""


@dataclass(frozen=True)
class Figures:
    """How many mutants there were, were noticed, and may stay unnoticed for a reason."""

    count: int
    noticed: int
    accepted: int

    @property
    def share(self) -> float:
        """The part of all mutants that was noticed, accepted ones included."""
        return self.noticed / max(1, self.count)

    @property
    def unexplained(self) -> float:
        """The part of all mutants that stayed unnoticed without a reason."""
        return (self.count - self.noticed - self.accepted) / max(1, self.count)

    def __str__(self) -> str:
        share = f"{100 * self.share:.1f} %"
        return f"{self.noticed} of {self.count} noticed ({share}), {self.accepted} accepted"


Reasons = dict[tuple[str, str, str], str]
"""Why a mutant may stay unnoticed, by module, line before and line after."""


def load_configuration(file: Path = CONFIGURATION) -> Configuration:
    """Read the modules, their tests, and which mutants count."""
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    excluded = [
        (re.compile(entry["operator"]), re.compile(entry["line"])) for entry in data["excluded"]
    ]
    return Configuration(
        modules=tuple(Module(row["path"], tuple(row["tests"])) for row in data["module"]),
        operators=re.compile("|".join(f"(?:{pattern})" for pattern in data["operators"])),
        excluded=tuple(excluded),
        preload=tuple(data["preload"]),
        slack=data["slack"],
        threshold=data["threshold"],
    )


def load_reasons(file: Path = ACCEPTED) -> Reasons:
    """Read why some mutants may stay unnoticed, by module, line before and line after."""
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        (path, entry["before"], entry["after"]): entry["reason"]
        for path, entries in data.items()
        for entry in entries
    }


# Which mutants count


def mutants_of(module: Module, configuration: Configuration) -> list[WorkItem]:
    """Return the mutants of a module that could change what it does."""
    with use_db(":memory:", WorkDB.Mode.create) as database:
        init([ROOT / module.path], database, {})
        items: tuple[WorkItem, ...] = database.work_items
    tree = get_ast_from_path(ROOT / module.path)
    lines = (ROOT / module.path).read_text(encoding="utf-8").splitlines()
    return [item for item in items if _counts(item.mutations[0], tree, lines, configuration)]


def _counts(
    mutation: MutationSpec, tree: Any, lines: Sequence[str], configuration: Configuration
) -> bool:
    name = mutation.operator_name.partition("/")[2]
    if not configuration.operators.fullmatch(name):
        return False
    line = lines[mutation.start_pos[0] - 1]
    if any(
        operator.fullmatch(name) and text.search(line) for operator, text in configuration.excluded
    ):
        return False
    leaf = tree.get_leaf_for_position(mutation.start_pos)
    if name == "ExceptionReplacer":
        # Cosmic Ray cannot replace a dotted name (`sqlite3.Error`).
        return leaf.parent.type not in ("power", "atom_expr")
    if name.startswith("ReplaceBinaryOperator"):
        # Cosmic Ray also takes the bare `*` of a parameter list, `**` before a mapping and the `|`
        # of an annotation for operators.
        return leaf.parent.type in _BINARY and not _in_annotation(leaf)
    return True


def _in_annotation(node: Any) -> bool:
    while parent := node.parent:
        if parent.type == "tfpdef":
            return True
        if parent.type == "annassign" and parent.children[1] is node:
            return True
        if parent.type == "funcdef" and parent.annotation is node:
            return True
        node = parent
    return False


# Running the tests


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


class _Worker:
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
            report = (cls.folder / "pytest.log").read_text(encoding="utf-8", errors="replace")
            raise SystemExit(f"The tests of {module.path} fail without any mutant:\n{report}")
        return time.monotonic() - started

    @classmethod
    def try_out(cls, item: WorkItem, tests: Sequence[str], timeout: float) -> WorkResult:
        """Run the tests on one mutant."""
        sys.dont_write_bytecode = True  # what is compiled now is not what the file will say next
        mutation = item.mutations[0]
        path = cls.folder / mutation.module_path.relative_to(ROOT)
        operator = get_operator(mutation.operator_name)(**mutation.operator_args)
        with use_mutation(path, operator, mutation.occurrence) as (before, after):
            if after is None:
                return WorkResult(WorkerOutcome.NO_TEST)
            passed = run_tests(cls.folder, tests, timeout)
        return WorkResult(
            WorkerOutcome.NORMAL,
            output="timeout" if passed is None else None,
            test_outcome=TestOutcome.SURVIVED if passed else TestOutcome.KILLED,
            diff="\n".join(find_change(before, after)),
        )


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
def workers(count: int, configuration: Configuration) -> Iterator[ProcessPoolExecutor]:
    """Processes with a copy of the project each; the copies are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as parent:
        pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("fork"),
            initializer=_Worker.start,
            initargs=(Path(parent), configuration.preload),
        )
        with pool:
            yield pool


# Sessions and reports


def run_module(
    module: Module,
    configuration: Configuration,
    pool: ProcessPoolExecutor,
    *,
    sample: int | None,
    again: bool,
) -> None:
    """Run the mutants of a module and keep their results in its session.

    Args:
        sample: how many mutants, chosen at random but always the same; None for all.
        again: only those of the last run that no test noticed.
    """
    SESSIONS.mkdir(exist_ok=True)
    # Results of other code are of no use: its mutants are not those of today.
    again = again and _is_current(module)
    timeout = configuration.slack + 4 * pool.submit(_Worker.measure, module).result()
    with use_db(str(module.session), WorkDB.Mode.create) as database:
        if not again:
            items = mutants_of(module, configuration)
            if sample is not None and sample < len(items):
                items = random.Random(1).sample(items, sample)  # noqa: S311  # not a secret
            database.clear()
            database.add_work_items(items)
        survived = {job for job, result in database.results if not result.is_killed}
        pending: dict[Future[WorkResult], str] = {
            pool.submit(_Worker.try_out, item, module.tests, timeout): item.job_id
            for item in database.work_items
            if not again or item.job_id in survived
        }
        for future in as_completed(pending):
            database.set_result(pending[future], future.result())


def _is_current(module: Module) -> bool:
    source = (ROOT / module.path).stat().st_mtime
    return module.session.exists() and module.session.stat().st_mtime > source


def report_module(module: Module, reasons: Reasons) -> Figures:
    """Print the figures of a module's session and what stayed unnoticed."""
    with use_db(str(module.session), WorkDB.Mode.open) as database:
        results = [result for _, result in database.results]
    unnoticed = (result for result in results if not result.is_killed)
    survivors = [_survivor(module, result.diff or "", reasons) for result in unnoticed]
    survivors.sort(key=lambda survivor: survivor.number)
    accepted = sum(bool(survivor.reason) for survivor in survivors)
    figures = Figures(len(results), len(results) - len(survivors), accepted)
    late = sum(result.output == "timeout" for result in results)
    print(f"{module.path}: {figures}, {late} by time-out")
    for survivor in survivors:
        sign = "accepted" if survivor.reason else "UNNOTICED"
        print(f"  {sign} line {survivor.number}: {survivor.before}\n      -> {survivor.after}")
        if survivor.reason:
            print(f"      {survivor.reason}")
    sys.stdout.flush()
    return figures


def _survivor(module: Module, diff: str, reasons: Reasons) -> Survivor:
    number, before, after = diff.split("\n")
    reason = reasons.get((module.path, before, after), "")
    return Survivor(module.path, int(number), before, after, reason)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants of the chosen modules.

    Returns:
        0 if enough were noticed: of all of them together, and of each module but for the accepted.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("words", nargs="*", metavar="MODULE", help="part of a module's path")
    parser.add_argument("--sample", type=int, help="mutants of each module; all by default")
    parser.add_argument("--workers", type=int, default=1, help="mutants at a time (default 1)")
    parser.add_argument("--again", action="store_true", help="only those unnoticed last time")
    parser.add_argument("--report", action="store_true", help="only print the last results")
    options = parser.parse_args(arguments)

    mutants_sql.register()
    configuration, reasons = load_configuration(), load_reasons()
    modules = [
        module
        for module in configuration.modules
        if not options.words or any(word in module.path for word in options.words)
    ]
    figures: dict[str, Figures] = {}
    with workers(options.workers, configuration) as pool:
        for module in modules:
            if not options.report:
                run_module(module, configuration, pool, sample=options.sample, again=options.again)
            figures[module.path] = report_module(module, reasons)
    return _report_all(figures, configuration.threshold, reasons)


def _report_all(figures: dict[str, Figures], threshold: float, reasons: Reasons) -> int:
    """Print the sum, the weak modules, and reasons that no longer apply; 1 if any is too weak."""
    parts = figures.values()
    total = Figures(
        sum(part.count for part in parts),
        sum(part.noticed for part in parts),
        sum(part.accepted for part in parts),
    )
    print(f"All: {total}")
    for path, before, _ in reasons:
        if path in figures and before not in _lines_of(path):
            print(f"There is no such line any more in {path}: {before}")
    weak = [path for path, part in figures.items() if part.unexplained > 1 - threshold]
    if weak:
        print(f"Too few noticed in: {', '.join(weak)}")
    return 1 if weak or total.share < threshold else 0


def _lines_of(path: str) -> set[str]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return {" ".join(line.split()) for line in lines}


if __name__ == "__main__":
    sys.exit(main())
