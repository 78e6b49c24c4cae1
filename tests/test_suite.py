"""The tables of tests/conftest.py name what there is, and tests that measure time run alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from tests.conftest import CAMPAIGN, MEASURES_TIME, ONE_PROCESS, SECONDS, SLOW, matches, scope_of
from tests.support.paths import ROOT
from tests.support.suite.sharing import ALONE, Sharing
from tests.support.tools import working
from tools.archive import collections
from tools.archive.jobs import imports

ENTRIES = sorted({*CAMPAIGN, *SLOW, *MEASURES_TIME, *ONE_PROCESS, *SECONDS})


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_a_table_names_exists(entry: str) -> None:
    path, _, test = entry.partition("::")
    assert (ROOT / path).exists()
    assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/a/test_b.py::test_c", True),
        ("tests/a/test_b.py::test_c[1]", True),
        ("tests/a/test_bc.py::test_c", False),
        ("tests/d/test_e.py::test_f[x]", True),
        ("tests/d/test_e.py::test_fg", False),
    ],
)
def test_an_entry_stands_for_a_folder_a_file_or_a_test(nodeid: str, expected: bool) -> None:
    assert matches(nodeid, ("tests/a/test_b.py", "tests/d/test_e.py::test_f")) is expected


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        (f"{MEASURES_TIME[0]}::test_a", ALONE),
        (f"{ONE_PROCESS[0]}/test_a.py::test_b", ONE_PROCESS[0]),
        ("tests/test_suite.py::test_a[b::c]", "tests/test_suite.py"),
    ],
)
def test_a_file_stays_together_and_so_do_those_that_share_servers(nodeid: str, scope: str) -> None:
    assert scope_of(nodeid) == scope


class Worker:
    """A process of pytest-xdist: holds back its last test until it hears what comes next."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.queue: list[int] = []
        self.shutting_down = False
        self.gateway = self
        self.id = name

    def send_runtest_some(self, indices: list[int]) -> None:
        assert not self.shutting_down
        self.queue += indices

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """Two processes that run `tests`; `steps` are the tests in their order, with the processes that
    had tests to run at that moment."""

    def __init__(self, config: pytest.Config, tests: list[str]) -> None:
        self.tests = tests
        self.steps: list[tuple[str, int]] = []
        self.workers = [Worker("a"), Worker("b")]
        config = _TwoProcesses(config)  # type: ignore[assignment]  # stands in for its options
        self.sharing = Sharing(config, Producer("test", enabled=False), lambda test: test[0])
        for worker in self.workers:
            self.sharing.add_node(self._node(worker))
            self.sharing.add_node_collection(self._node(worker), tests)
        self.sharing.schedule()

    def to_end(self, preferred: int) -> None:
        """Run every test; the process `preferred` is the faster one."""
        for _ in range(10 * len(self.tests)):
            worker = next((one for one in self._by_speed(preferred) if self._can_run(one)), None)
            if worker is None:
                break
            index = worker.queue.pop(0)
            busy = [one for one in self.workers if one is worker or one.queue]
            self.steps.append((self.tests[index], len(busy)))
            self.sharing.mark_test_complete(self._node(worker), index)
            self._leave()

    def _by_speed(self, preferred: int) -> list[Worker]:
        return [self.workers[preferred], self.workers[1 - preferred]]

    def _can_run(self, worker: Worker) -> bool:
        return len(worker.queue) > 1 or (worker.shutting_down and bool(worker.queue))

    def _leave(self) -> None:
        for worker in self.workers:
            if self.sharing.tests_finished:
                worker.shutdown()
            node = self._node(worker)
            if worker.shutting_down and not worker.queue and node in self.sharing.nodes:
                assert self.sharing.remove_node(node) is None

    @staticmethod
    def _node(worker: Worker) -> WorkerController:
        return cast("WorkerController", worker)


class _TwoProcesses:
    """The options of a run, with two processes."""

    def __init__(self, config: pytest.Config) -> None:
        self.rootpath = config.rootpath
        self.option: Any = type("Options", (), {"loadscopereorder": True})()

    def getvalue(self, name: str) -> list[str]:
        assert name == "tx"
        return ["2*popen"]


@pytest.mark.parametrize("preferred", [0, 1])
@pytest.mark.parametrize(
    "tests",
    [
        ["a1", "a2", "a3", "b1", "c1", "c2", "d1", "@1", "@2"],
        ["a1", "@1"],
        ["a1", "b1", "b2", "b3", "b4", "b5", "@1", "@2", "@3"],
    ],
)
def test_tests_that_measure_time_run_when_no_other_does(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, tests: list[str], preferred: int
) -> None:
    monkeypatch.setattr("tests.support.suite.sharing.ALONE", "@")
    run = Run(pytestconfig, tests)
    run.to_end(preferred)
    assert sorted(test for test, _ in run.steps) == sorted(tests)
    assert {busy for test, busy in run.steps if test[0] == "@"} == {1}


def test_a_process_in_the_place_of_one_that_crashed_waits_until_it_has_listed_its_tests(
    pytestconfig: pytest.Config,
) -> None:
    run = Run(pytestconfig, ["a1", "b1", "b2", "c1", "d1", "e1"])
    newcomer = Worker("c")
    run.sharing.add_node(run._node(newcomer))

    run.sharing.remove_node(run._node(run.workers[0]))
    assert newcomer.queue == []

    run.sharing.add_node_collection(run._node(newcomer), run.tests)
    run.sharing.schedule()
    assert newcomer.queue


def _run_example(number: int, module: str) -> dict[str, Any]:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[number]
    names: dict[str, Any] = {"__name__": module}
    # Without the annotations import of this file, which the example does not have.
    code = compile(example, "CONTRIBUTING.md", "exec", dont_inherit=True)
    exec(code, names)  # noqa: S102  # what the guide says is what is tried
    return names


def test_the_tool_of_the_guide_is_one() -> None:
    tool = _run_example(0, collections.__name__)["ShowCollection"]
    assert tool.tool_name() == "archive_show_collection"
    assert tool.annotations()["readOnlyHint"]
    assert tool.toolset_name() == "collections"
    assert {"workspace", "fields", "id"} <= set(tool.model_fields)


async def test_the_tool_of_the_guide_reads(tmp_path: Path) -> None:
    tool = _run_example(0, collections.__name__)["ShowCollection"]
    async with working.worker(tmp_path) as one:
        (row,) = (await one.call(collections.GetCollections, limit=1, fields=["id"]))["nodes"]
        assert (await one.call(tool, id=row["id"]))["id"] == row["id"]


async def test_the_job_of_the_guide_runs(tmp_path: Path) -> None:
    start = _run_example(1, imports.__name__)["StartReadJob"]
    async with working.worker(tmp_path) as one:
        rows = (await one.call(collections.GetCollections, limit=3, fields=["id"]))["nodes"]
        row = await one.call(start, ids=[row["id"] for row in rows])
        assert await one.ended(row) == {"read": len(rows)}
