"""The endpoints of archive results, which hold what the plugins achieved; success and failure live
here."""

from __future__ import annotations

from typing import Any

from server.sandbox.archivebox.answers import make_field_error
from server.sandbox.archivebox.call import (
    Call,
    begins,
    contains,
    equals,
    is_within,
    paginate,
)
from server.sandbox.archivebox.lookup import find_result, strip_dashes
from server.sandbox.archivebox.render import (
    get_old_version,
    make_command,
    make_folder,
    make_old_output,
    render_result,
)
from server.sandbox.archivebox.world.records import Result, make_abid

# Not fields of the database since 0.9, so that filtering by them fails inside the server.
_NO_FIELDS = ("cmd", "pwd", "cmd_version")
_FIELDS = (
    "created_at, end_ts, hook_name, id, notes, output_files, output_str, plugin, snapshot, status"
)


def list_results(call: Call) -> Any:
    """`GET /core/archiveresults`."""
    if not call.dialect.old:
        for name in _NO_FIELDS:
            if call.query.get(name) is not None:
                raise make_field_error(name, _FIELDS)
    results = [result for result in call.world.iterate_results() if _fits(call, result)]
    return paginate(call, results, lambda result: render_result(call.world, result))


def get_result(call: Call) -> Any:
    """`GET /core/archiveresult/{archiveresult_id}`."""
    result = find_result(call.world, call.path["archiveresult_id"])
    return render_result(call.world, result)


def _fits(call: Call, result: Result) -> bool:
    query, url = call.query, result.snapshot.url
    output = make_old_output(result) if call.dialect.old else result.output
    # The names of two releases stand side by side: what a release does not declare is never set.
    fits_itself = (
        equals(result.status, query.get("status"))
        and contains(result.plugin, query.get("plugin"))
        and contains(result.plugin, query.get("extractor"))
        and contains(output, query.get("output_str"))
        and contains(output, query.get("output"))
        and contains(result.hook, query.get("hook_name"))
        and contains(url, query.get("snapshot_url"))
        and is_within(result.started, query, "created_at")
    )
    return (
        fits_itself
        and _has_tag(call, result, query.get("snapshot_tag"))
        and _is_of_snapshot(call, result, query.get("snapshot_id"))
        and _matches_id(call, result, query.get("id"))
        and _is_of_process(result, query.get("process_id"))
        and _fits_command(call, result)
        and _fits_search(call, result, output)
    )


def _fits_command(call: Call, result: Result) -> bool:
    """Return whether the result fits the filters by command and folder, which work only before
    0.9."""
    if not call.dialect.old:
        return True
    query = call.query
    return (
        contains(make_command(result)[0], query.get("cmd"))
        and contains(make_folder(call.world, result.snapshot), query.get("pwd"))
        and equals(get_old_version(result), query.get("cmd_version"))
    )


def _is_of_process(result: Result, text: str | None) -> bool:
    return text is None or begins(result.process_id or "", strip_dashes(text))


def _has_tag(call: Call, result: Result, part: str | None) -> bool:
    if part is None:
        return True
    names = call.world.list_tag_names(result.snapshot)
    return any(contains(name, part) for name in names)


def _is_of_snapshot(call: Call, result: Result, text: str | None) -> bool:
    snapshot = result.snapshot
    if text is None or snapshot.timestamp.startswith(text):
        return True
    if snapshot.id.startswith(strip_dashes(text)):
        return True
    return call.dialect.old and contains(make_abid("snp", snapshot.id), text)


def _matches_id(call: Call, result: Result, text: str | None) -> bool:
    # An id of a result may also be that of its snapshot: the server looks for both.
    if text is None or _is_of_snapshot(call, result, text):
        return True
    if result.id.startswith(strip_dashes(text)):
        return True
    return call.dialect.old and contains(make_abid("res", result.id), text)


def _fits_search(call: Call, result: Result, output: str) -> bool:
    text = call.query.get("search")
    if text is None or result.plugin == text:
        return True
    texts = (result.snapshot.url, result.snapshot.title, output)
    if any(contains(value, text) for value in texts):
        return True
    return _has_tag(call, result, text) or _matches_id(call, result, text)
