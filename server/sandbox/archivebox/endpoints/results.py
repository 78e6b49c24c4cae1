"""The endpoints of archive results, which hold what the plugins achieved; success and failure live
here."""

from __future__ import annotations

from typing import Any

from server.sandbox.archivebox.answers import make_field_error
from server.sandbox.archivebox.call import (
    Call,
    Filter,
    contains,
    contains_any,
    make_date_filters,
    paginate,
    select,
)
from server.sandbox.archivebox.lookup import find_result, strip_dashes
from server.sandbox.archivebox.render import (
    get_old_version,
    make_command,
    make_folder,
    make_old_output,
    render_result,
)
from server.sandbox.archivebox.world.records import Result, find_first, make_abid

# Not fields of the database since 0.9, so that filtering by them fails inside the server.
_NO_FIELDS = ("cmd", "pwd", "cmd_version")
_FIELDS = (
    "created_at, end_ts, hook_name, id, notes, output_files, output_str, plugin, snapshot, status"
)


def list_results(call: Call) -> Any:
    """Answer `GET /core/archiveresults`."""
    name = find_first(_NO_FIELDS, lambda name: call.query.get(name) is not None)
    if name and not call.dialect.old:
        raise make_field_error(name, _FIELDS)
    results = select(call, call.world.iterate_results(), _FILTERS, call.query)
    return paginate(call, results, lambda result: render_result(call.world, result))


def get_result(call: Call) -> Any:
    """Answer `GET /core/archiveresult/{archiveresult_id}`."""
    result = find_result(call.world, call.path["archiveresult_id"])
    return render_result(call.world, result)


def _get_output(call: Call, result: Result) -> str:
    return make_old_output(result) if call.dialect.old else result.output


def _has_tag(call: Call, part: str, result: Result) -> bool:
    return contains_any(call.world.list_tag_names(result.snapshot), part)


def _is_of_snapshot(call: Call, text: str, result: Result) -> bool:
    snapshot = result.snapshot
    if snapshot.timestamp.startswith(text):
        return True
    if snapshot.id.startswith(strip_dashes(text)):
        return True
    return call.dialect.old and contains(make_abid("snp", snapshot.id), text)


def _matches_id(call: Call, text: str, result: Result) -> bool:
    # An id of a result may also be that of its snapshot: the server looks for both.
    if _is_of_snapshot(call, text, result):
        return True
    if result.id.startswith(strip_dashes(text)):
        return True
    return call.dialect.old and contains(make_abid("res", result.id), text)


def _matches_search(call: Call, text: str, result: Result) -> bool:
    if result.plugin == text:
        return True
    texts = (result.snapshot.url, result.snapshot.title, _get_output(call, result))
    if contains_any(texts, text):
        return True
    return _has_tag(call, text, result) or _matches_id(call, text, result)


_FILTERS: dict[str, Filter] = {
    "status": lambda call, text, result: result.status == text,
    "plugin": lambda call, text, result: contains(result.plugin, text),
    # Before 0.9 the plugins were called extractors.
    "extractor": lambda call, text, result: contains(result.plugin, text),
    "output_str": lambda call, text, result: contains(_get_output(call, result), text),
    "output": lambda call, text, result: contains(_get_output(call, result), text),
    "hook_name": lambda call, text, result: contains(result.hook, text),
    "snapshot_url": lambda call, text, result: contains(result.snapshot.url, text),
    "process_id": lambda call, text, result: (result.process_id or "").startswith(
        strip_dashes(text)
    ),
    **make_date_filters("created_at", "started"),
    "snapshot_tag": _has_tag,
    "snapshot_id": _is_of_snapshot,
    "id": _matches_id,
    "cmd": lambda call, text, result: contains(make_command(result)[0], text),
    "pwd": lambda call, text, result: contains(make_folder(call.world, result.snapshot), text),
    "cmd_version": lambda call, text, result: get_old_version(result) == text,
    "search": _matches_search,
}
