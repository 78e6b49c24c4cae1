"""What holds for all tests: their time of day, how made-up inputs are tried, which tests are slow,
which are campaigns, which need a machine to themselves, and how long one may take.

The lists go by the beginning of a test's id (a folder, a file or a test); CONTRIBUTING.md has the
commands that choose among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from server import redaction, wall_clock
from tests.support.clocks import now
from tests.support.suite.sharing import ALONE, Sharing

# Their fixtures start servers of other programs when a test first asks for one.
pytest_plugins = (
    "tests.support.team.engines.postgres",
    "tests.support.team.engines.redis",
    "tests.support.team.engines.s3",
)

# The same inputs in every run, and no limit to how long a busy machine takes over one of them.
hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def fixed_time_of_day() -> Iterator[None]:
    """Let whatever runs in this process read the moment of the tests instead of the machine's time
    of day; programs that tests start read the machine's."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wall_clock, "utc_now", now)
        yield


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    """Let no test take out the secrets of another."""
    yield
    redaction.forget()


CAMPAIGN = (
    # Servers that are killed again and again over thousands of records.
    "tests/process/test_exports_process.py::"
    "test_an_export_killed_again_and_again_holds_every_item_once",
    "tests/server/jobs/test_tagging_processes.py",
    "tests/server/team/jobs/test_tagging_crew.py::"
    "test_fourteen_thousand_items_survive_twenty_kills_of_each_process_and_two_restarts",
    "tests/tools/archive/jobs/test_engagement_processes.py",
    "tests/tools/archive/jobs/imports/test_imports_processes.py",
    # Another project's client, started once for each tool. (is_of_older_archivebox has more.)
    "tests/process/test_clients.py::test_the_inspector_calls_every_tool",
    # Clients of 500 MB.
    "tests/process/test_setup_with_clients.py",
    # A client of 900 MB.
    "tests/process/test_converters.py::test_a_large_client_converts_every_tool",
)

SLOW = (
    # Whole processes, and real servers of other projects.
    "tests/archivebox",
    "tests/campaign",
    "tests/clients/test_clients_tour.py",
    "tests/docs/test_commands.py::test_what_needs_no_token_runs_as_written",
    "tests/docs/test_pages.py::test_the_site_builds_without_a_warning",
    "tests/docs/test_recipes.py",
    # Installs the auditor, and asks databases on the network.
    "tests/packages/test_advisories.py",
    "tests/process",
    "tests/server/jobs/test_job_processes.py",
    "tests/server/limiter/test_pacer_processes.py",
    "tests/server/team/jobs/test_export_machines.py",
    "tests/server/team/jobs/test_imports_crew.py",
    "tests/server/team/jobs/test_tagging_crew.py",
    "tests/server/team/jobs/test_worker_processes.py",
    "tests/server/team/policy/test_ways_round.py::test_what_one_may_not_do_cannot_be_called",
    "tests/server/team/store/test_backup.py",
    "tests/server/team/store/test_pace_processes.py",
    "tests/server/test_recovery.py",
    "tests/test_style.py",
    # Hundreds of cases of one rule, or thousands of records.
    "tests/server/archive/lists/test_batching.py",
    "tests/server/doctor/test_broken_environments.py",
    "tests/server/doctor/test_live.py",
    "tests/server/doctor/test_live_contradictions.py",
    "tests/server/doctor/test_live_prices.py",
    "tests/server/exports/test_publish.py",
    "tests/server/insights/test_summary.py",
    "tests/server/protocol/test_prompts.py",
    "tests/server/sandbox/archive/resolvers/test_content.py",
    "tests/server/sandbox/archive/resolvers/test_views.py",
    "tests/server/sandbox/archivebox/test_box_commands.py",
    "tests/server/sandbox/archivebox/test_box_description.py",
    "tests/server/sandbox/archivebox/test_box_lists.py",
    "tests/tools/archive/insights",
    "tests/tools/archive/jobs",
    "tests/tools/archive/test_documents.py",
    "tests/tools/archive/writes",
)

MEASURES_TIME = (
    "tests/process/test_pacing_end_to_end.py",
    "tests/process/test_process.py",  # how soon a server leaves
    "tests/server/limiter/test_pacer_processes.py",
    "tests/server/jobs/test_job_processes.py",
    "tests/server/team/store/test_pace_processes.py",
)
"""Compare moments of several processes: beside other tests they would measure those."""

ONE_PROCESS = ("tests/archivebox",)
"""Share servers that take minutes to start, and count together what they did."""

SECONDS = {
    "tests/archivebox": 1800,  # the first one installs a release and its dependencies
    "tests/clients": 900,  # the first run installs each client
    "tests/process": 900,
    **dict.fromkeys(CAMPAIGN, 3600),
}
"""How long a test may take where the limit in pyproject.toml would be too short."""


def matches(nodeid: str, entries: tuple[str, ...]) -> bool:
    """Return whether a test is one of a table's, or stands in a file or folder of it."""
    return any(
        nodeid == entry or nodeid.startswith((f"{entry}/", f"{entry}::", f"{entry}["))
        for entry in entries
    )


def is_of_older_archivebox(item: pytest.Item) -> bool:
    """Return whether a test runs on a real ArchiveBox other than the newest release."""
    callspec = getattr(item, "callspec", None)
    values = callspec.params.values() if callspec else ()
    fixtures = set(getattr(item, "fixturenames", ()))
    uses_real_server = not fixtures.isdisjoint({"real_server", "own_server"})
    older = {"0.9.31", "0.8.5"}
    return "real 0.8.5" in values or (uses_real_server and not older.isdisjoint(values))


def scope_of(nodeid: str) -> str:
    """Return what stays in one process where several share the tests: a file, or a folder."""
    if matches(nodeid, MEASURES_TIME):
        return ALONE
    for folder in ONE_PROCESS:
        if matches(nodeid, (folder,)):
            return folder
    return nodeid.partition("::")[0]


def order_of(item: pytest.Item) -> int:
    """Return the rank of a test where several processes share them: the slow first, so that no
    process waits for another's at the end."""
    if matches(item.nodeid, MEASURES_TIME):
        return 2
    return 0 if item.get_closest_marker("slow") else 1


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marker
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if matches(item.nodeid, CAMPAIGN) or is_of_older_archivebox(item):
            item.add_marker(pytest.mark.campaign)
        is_campaign = item.get_closest_marker("campaign") is not None
        if is_campaign or matches(item.nodeid, SLOW):
            item.add_marker(pytest.mark.slow)
        for entry, seconds in SECONDS.items():
            if matches(item.nodeid, (entry,)):
                item.add_marker(pytest.mark.timeout(seconds))
    if hasattr(config, "workerinput"):  # one of several processes
        items.sort(key=order_of)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Sharing(config, log, scope_of)
