"""Uploading results, which a browser extension does on 0.9.73: a form with files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from server.sandbox.archivebox.answers import Detail
from server.sandbox.archivebox.call import Call, Request
from server.sandbox.archivebox.finding import result_of, snapshot_of
from server.sandbox.archivebox.render import result_record
from server.sandbox.archivebox.world.files import mimetype
from server.sandbox.archivebox.world.records import Result, time_id

_PLUGIN = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_HOOK = "on_Snapshot__archivebox_browser_extension_upload"
_STATUSES = {"success": "succeeded", "succeded": "succeeded"} | {
    name: name
    for name in (
        "succeeded",
        "failed",
        "skipped",
        "noresults",
        "queued",
        "started",
        "paused",
        "backoff",
    )
}
Files = list[tuple[str, str, bytes]]


@dataclass(frozen=True)
class Form:
    """The fields of a form, and its files as (name, type, bytes)."""

    fields: Mapping[str, list[str]]
    files: Files = field(default_factory=list)

    def first(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        return self.fields[name][0] if self.fields.get(name) else default


def create_result(call: Call) -> Any:
    """`POST /core/archiveresults`: a result by (snapshot, plugin, hook), new or added to."""
    form = read_form(call.request)
    absent = [name for name in ("snapshot_id", "plugin") if name not in form.fields]
    if absent:
        raise Detail(
            422,
            [
                {"type": "missing", "loc": ["form", name], "msg": "Field required"}
                for name in absent
            ],
        )
    snapshot = snapshot_of(call.world, form.first("snapshot_id"))
    plugin = form.first("plugin").strip().strip("/")
    if plugin in (".", "..") or not _PLUGIN.fullmatch(plugin):
        raise Detail(400, "Invalid ArchiveResult plugin name")
    data, files = _data(form), _files(form)
    hook, moment = form.first("hook_name", _HOOK) or _HOOK, call.world.moment()
    results = call.world.results(snapshot)
    result = next((each for each in results if each.plugin == plugin and each.hook == hook), None)
    if result is None:
        id = time_id(moment, call.world.seed, len(results) + int(snapshot.id[-12:], 16), 81)
        result = Result(id, snapshot, plugin, hook, "queued", "", (), moment, None)
        results.append(result)
    result.uploads.update(files)
    names = [*result.files, *result.uploads]
    result.status = _STATUSES.get(form.first("status", "succeeded").strip().lower(), "failed")
    result.output = form.first("output_str") or (names[0] if names else "")
    result.data, result.ended = data, moment
    return result_record(call.world, result)


def update_result(call: Call) -> Any:
    """`PATCH /core/archiveresult/{archiveresult_id}`: more files for a result."""
    result = result_of(call.world, call.inside["archiveresult_id"])
    form = read_form(call.request)
    if not form.files:
        raise Detail(400, "At least one ArchiveResult file is required")
    data, files = _data(form), _files(form)
    result.uploads.update(files)
    result.output = form.first("output_str") or result.output
    if form.first("status"):
        result.status = _STATUSES.get(form.first("status").strip().lower(), "failed")
    elif result.status == "queued":
        result.status = "succeeded"
    result.data = data if data is not None else result.data
    result.ended = call.world.moment()
    return result_record(call.world, result)


def read_form(request: Request) -> Form:
    """The form in a request's body, in either of the two encodings."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        fields: dict[str, list[str]] = {}
        text = (
            request.body.decode("utf-8", "replace")
            if kind.startswith("application/x-www-form")
            else ""
        )
        for name, value in parse_qsl(text, keep_blank_values=True):
            fields.setdefault(name, []).append(value)
        return Form(fields)
    message = message_from_bytes(
        b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n" + request.body
    )
    if not message.is_multipart():
        raise Detail(
            400, "Invalid ArchiveResult multipart upload: Invalid boundary in multipart: None"
        )
    return _parts(message)


def _parts(message: Message) -> Form:
    fields: dict[str, list[str]] = {}
    files: Files = []
    for part in message.walk():
        if part.is_multipart():
            continue
        name = str(part.get_param("name", "", "content-disposition"))
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        if (file := part.get_filename()) is None:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        elif name in ("files", "file"):
            files.append((file, part.get_content_type(), content))
    return Form(fields, files)


def _files(form: Form) -> dict[str, tuple[str, bytes]]:
    paths = form.fields.get("output_paths") or form.fields.get("output_path") or []
    if len(paths) == 1 and paths[0].startswith("["):
        paths = [str(each) for each in json.loads(paths[0])]
    found: dict[str, tuple[str, bytes]] = {}
    for place, (name, kind, content) in enumerate(form.files):
        path = (paths[place] if place < len(paths) else name).strip().replace("\\", "/")
        if not path:
            raise Detail(400, "ArchiveResult output path is required")
        if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")):
            raise Detail(400, "Invalid ArchiveResult output path")
        found[path] = (kind or mimetype(path), content)
    return found


def _data(form: Form) -> dict[str, Any] | None:
    text = form.first("output_json")
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        raise Detail(400, "ArchiveResult output_json must be valid JSON") from None
    if found is not None and not isinstance(found, dict):
        raise Detail(400, "ArchiveResult output_json must be a JSON object")
    return found
