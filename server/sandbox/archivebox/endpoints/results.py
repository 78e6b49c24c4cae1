"""The endpoints of archive results, which hold what the plugins achieved; success and failure live
here."""

from __future__ import annotations

from typing import Any

from server.sandbox.archivebox.answers import Raised
from server.sandbox.archivebox.call import (
    Call,
    contains,
    paged,
    within,
)
from server.sandbox.archivebox.finding import bare, result_of
from server.sandbox.archivebox.render import (
    command,
    directory,
    old_output,
    result_record,
)
from server.sandbox.archivebox.world.records import Result, abid

# Not fields of the database since 0.9, so that filtering by them fails inside the server.
_NO_FIELDS = ("cmd", "pwd", "cmd_version")


def list_results(call: Call) -> Any:
    """`GET /core/archiveresults`."""
    query = call.query
    if not call.dialect.old:
        for name in _NO_FIELDS:
            if query.get(name) is not None:
                choices = "created_at, end_ts, hook_name, id, notes, output_files, output_str, plugin, snapshot, status"
                raise Raised(
                    "FieldError",
                    f"Cannot resolve keyword '{name}' into field. Choices are: {choices}",
                )
    found = [each for each in call.world.all_results() if _fits(call, each)]
    return paged(call, found, lambda each: result_record(call.world, each))


def get_result(call: Call) -> Any:
    """`GET /core/archiveresult/{archiveresult_id}`."""
    return result_record(call.world, result_of(call.world, call.inside["archiveresult_id"]))


def _fits(call: Call, result: Result) -> bool:
    query, snapshot = call.query, result.snapshot
    output = old_output(result) if call.dialect.old else result.output
    return (
        (query.get("status") is None or result.status == query["status"])
        and contains(result.plugin, query.get("plugin"))
        and contains(result.plugin, query.get("extractor"))
        and contains(output, query.get("output_str"))
        and contains(output, query.get("output"))
        and contains(result.hook, query.get("hook_name"))
        and contains(snapshot.url, query.get("snapshot_url"))
        and _tagged(call, result, query.get("snapshot_tag"))
        and (query.get("snapshot_id") is None or _of_snapshot(call, result, query["snapshot_id"]))
        and (query.get("id") is None or _by_id(call, result, query["id"]))
        and (
            query.get("process_id") is None
            or (result.process_id or "").startswith(bare(query["process_id"]))
        )
        and within(result.started, query, "created_at")
        and _by_command(call, result)
        and _searched(call, result, output)
    )


def _by_command(call: Call, result: Result) -> bool:
    """By command and folder, which works only before 0.9."""
    if not call.dialect.old:
        return True
    query = call.query
    version = query.get("cmd_version")
    return (
        contains(command(result)[0], query.get("cmd"))
        and contains(directory(call.world, result.snapshot), query.get("pwd"))
        and (
            version is None
            or result_record(call.world, result, minimal=True)["cmd_version"] == version
        )
    )


def _tagged(call: Call, result: Result, part: str | None) -> bool:
    return part is None or any(contains(name, part) for name in call.world.names(result.snapshot))


def _of_snapshot(call: Call, result: Result, text: str) -> bool:
    snapshot = result.snapshot
    if snapshot.id.startswith(bare(text)) or snapshot.timestamp.startswith(text):
        return True
    return call.dialect.old and contains(abid("snp", snapshot.id), text)


def _by_id(call: Call, result: Result, text: str) -> bool:
    if result.id.startswith(bare(text)) or _of_snapshot(call, result, text):
        return True
    return call.dialect.old and contains(abid("res", result.id), text)


def _searched(call: Call, result: Result, output: str) -> bool:
    text = call.query.get("search")
    if text is None:
        return True
    snapshot = result.snapshot
    return (
        contains(snapshot.url, text)
        or contains(snapshot.title, text)
        or _tagged(call, result, text)
        or result.plugin == text
        or contains(output, text)
        or _by_id(call, result, text)
    )
