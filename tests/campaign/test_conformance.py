"""The MCP project's own conformance suite against the server for a team, in both protocol eras.

Every scenario that needs nothing but a server passes. Most others call tools, prompts and
resources of fixed names (`test_simple_text`, `test://static-text`) that a server made for testing
has; they test the SDK, and each is listed here with what it lacks.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine.node import node_program_or_skip
from tests.support.team.processes import serve

pytestmark = pytest.mark.campaign

PACKAGE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
_SECONDS = 280
_LINE = re.compile(r"^([✓✗]) ([\w-]+): (\d+) passed, (\d+) failed", re.MULTILINE)

TOOL = "calls a tool of the suite's own test server"
PROMPT = "asks for a prompt of the suite's own test server"
RESOURCE = "reads a resource of the suite's own test server"
TASKS = "tasks are an extension that this server does not have (unscored)"
OLD = "deprecated in 2026-07-28, and not offered"

HANDSHAKE = {
    "logging-set-level": OLD,
    "completion-complete": PROMPT,
    "tools-call-image": TOOL,
    "tools-call-audio": TOOL,
    "tools-call-embedded-resource": TOOL,
    "tools-call-mixed-content": TOOL,
    "tools-call-with-logging": OLD,
    "tools-call-with-progress": TOOL,
    "tools-call-sampling": OLD,
    "tools-call-elicitation": TOOL,
    "elicitation-sep1034-defaults": TOOL,
    "elicitation-sep1330-enums": TOOL,
    "resources-read-text": RESOURCE,
    "resources-read-binary": RESOURCE,
    "resources-templates-read": RESOURCE,
    "resources-subscribe": "without sessions nobody can be told of a change",
    "resources-unsubscribe": "without sessions nobody can be told of a change",
    "prompts-get-simple": PROMPT,
    "prompts-get-with-args": PROMPT,
    "prompts-get-embedded-resource": PROMPT,
    "prompts-get-with-image": PROMPT,
}
MODERN = {
    **{
        name: reason
        for name, reason in HANDSHAKE.items()
        if reason not in (OLD,)
        and not name.startswith(("resources-sub", "resources-unsub", "elicitation-"))
        and name != "tools-call-elicitation"
    },
    "server-stateless": "two checks of 25 call a tool of the suite's own test server",
    "input-required-result-basic-elicitation": TOOL,
    "input-required-result-basic-sampling": TOOL,
    "input-required-result-basic-list-roots": TOOL,
    "input-required-result-request-state": TOOL,
    "input-required-result-multiple-input-requests": TOOL,
    "input-required-result-multi-round": TOOL,
    "input-required-result-non-tool-request": PROMPT,
    "input-required-result-result-type": TOOL,
    "input-required-result-tampered-state": TOOL,
    "input-required-result-capability-check": TOOL,
    "tasks-lifecycle": TASKS,
    "tasks-capability-negotiation": TASKS,
    "tasks-wire-fields": TASKS,
    "tasks-request-state-removal": TASKS,
    "tasks-mrtr-input": TASKS,
    "tasks-request-headers": TASKS,
    "tasks-dispatch-and-envelope": TASKS,
    "tasks-required-task-error": TASKS,
    "tasks-mrtr-composition": TASKS,
    "json-schema-2020-12": TOOL,
    "http-custom-header-server-validation": TOOL,
}
APPLY = {
    "server-initialize",
    "server-session-lifecycle",
    "ping",
    "tools-list",
    "tools-call-simple-text",
    "tools-call-error",
    "server-sse-multiple-streams",
    "resources-list",
    "prompts-list",
    "dns-rebinding-protection",
    "sep-2164-resource-not-found",
    "caching",
    "http-header-validation",
    "input-required-result-missing-input-response",
    "input-required-result-unsupported-methods",
    "input-required-result-ignore-extra-params",
    "input-required-result-validate-input",
}
# Of a scenario that passes but for the tools of the suite's own server: the checks that need them.
NEEDING_TOOLS = {
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
}


@pytest.mark.parametrize(
    ("options", "lacking"),
    [
        (["--suite", "active"], HANDSHAKE),
        (["--requirements", "2026-07-28"], MODERN),
    ],
    ids=["handshake", "modern"],
)
def test_every_scenario_that_applies_passes(
    options: list[str], lacking: dict[str, str], tmp_path: Path
) -> None:
    node, program = node_program_or_skip(PACKAGE, "conformance")
    out = tmp_path / "out"
    with serve(tmp_path) as (url, _):
        command = [str(node), str(program), "server", "--url", f"{url}/mcp", "-o", str(out)]
        done = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=False,
        )
    results = {match[2]: match[1] == "✓" for match in _LINE.finditer(done.stdout)}
    assert len(results) > 25, done.stdout[-2000:] + done.stderr[-2000:]
    failing = {name for name, passes in results.items() if not passes}

    assert failing == set(lacking)
    assert APPLY & results.keys() == APPLY & {name for name, passes in results.items() if passes}
    assert list_failures(out, "server-stateless") <= NEEDING_TOOLS


def list_failures(out: Path, scenario: str) -> set[str]:
    """The checks of a scenario that failed."""
    failures: set[str] = set()
    for file in out.glob(f"*{scenario}*/checks.json"):
        checks: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        failures |= {check["id"] for check in checks if check["status"] == "FAILURE"}
    return failures
