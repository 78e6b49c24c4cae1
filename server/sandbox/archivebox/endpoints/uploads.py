"""Uploading results, which a browser extension does on 0.9.73: a form with files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

from server.sandbox.archivebox.answers import Detail
from server.sandbox.archivebox.call import Call, Request
from server.sandbox.archivebox.lookup import find_result, find_snapshot
from server.sandbox.archivebox.render import render_result
from server.sandbox.archivebox.world.records import Result, find_all, find_first, make_time_id

_PLUGIN = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_HOOK = "on_Snapshot__archivebox_browser_extension_upload"
_STATUSES = (
    "succeeded",
    "failed",
    "skipped",
    "noresults",
    "queued",
    "started",
    "paused",
    "backoff",
)
# Spellings that the server takes for the first one.
_SUCCESSES = ("success", "succeded")
Files = list[tuple[str, str, bytes]]


@dataclass(frozen=True)
class Form:
    """The fields of a form, and its files as (name, type, bytes)."""

    fields: Mapping[str, list[str]]
    files: Files = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a field."""
        return self.fields.get(name, [default])[0]


def create_result(call: Call) -> Any:
    """Answer `POST /core/archiveresults`: a result by (snapshot, plugin, hook), new or added to."""
    form = parse_form(call.request)
    _require_fields(form, "snapshot_id", "plugin")
    snapshot = find_snapshot(call.world, form.get("snapshot_id"))
    plugin = form.get("plugin").strip().strip("/")
    # The name becomes a folder of the snapshot, which it must not leave.
    if plugin in (".", "..") or not _PLUGIN.fullmatch(plugin):
        raise Detail(400, "Invalid ArchiveResult plugin name")
    data, files = _parse_data(form), _parse_files(form)
    hook, moment = form.get("hook_name", _HOOK) or _HOOK, call.world.now()
    results = call.world.list_results(snapshot)
    result = find_first(results, lambda row: (row.plugin, row.hook) == (plugin, hook))
    if result is None:
        number = len(results) + int(snapshot.id[-12:], 16)
        id = make_time_id(moment, call.world.seed, number, 81)
        result = Result(id, snapshot, plugin, hook, "queued", "", (), moment, None)
        results.append(result)
    result.uploads.update(files)
    names = [*result.files, *result.uploads, ""]
    result.status = _parse_status(form, "succeeded")
    result.output = form.get("output_str") or names[0]
    result.data, result.ended = data, moment
    return render_result(call.world, result)


def update_result(call: Call) -> Any:
    """Answer `PATCH /core/archiveresult/{archiveresult_id}`: more files for a result."""
    result = find_result(call.world, call.path["archiveresult_id"])
    form = parse_form(call.request)
    if not form.files:
        raise Detail(400, "At least one ArchiveResult file is required")
    data, files = _parse_data(form), _parse_files(form)
    result.uploads.update(files)
    result.output = form.get("output_str") or result.output
    if form.get("status"):
        result.status = _parse_status(form)
    elif result.status == "queued":
        # Files that have arrived are a success, unless the sender says otherwise.
        result.status = "succeeded"
    result.data = result.data if data is None else data
    result.ended = call.world.now()
    return render_result(call.world, result)


def parse_form(request: Request) -> Form:
    """Return the form in a request's body, in either of the two encodings.

    Raises:
        Detail: with status 400 for a multipart body without a boundary.
    """
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/x-www-form"):
        text = request.body.decode("utf-8", "replace")
        return Form(parse_qs(text, keep_blank_values=True))
    # Any other type is a form without fields.
    if not kind.startswith("multipart/"):
        return Form({})
    # The standard library reads multipart bodies as e-mail, which has its headers in front.
    header = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
    message = message_from_bytes(header + request.body)
    if not message.is_multipart():
        raise Detail(
            400, "Invalid ArchiveResult multipart upload: Invalid boundary in multipart: None"
        )
    return _collect_parts(message)


def _require_fields(form: Form, *names: str) -> None:
    if absent := find_all(names, lambda name: name not in form.fields):
        raise Detail(
            422,
            [
                {"type": "missing", "loc": ["form", name], "msg": "Field required"}
                for name in absent
            ],
        )


def _collect_parts(message: Message) -> Form:
    fields: dict[str, list[str]] = {}
    files: Files = []
    for part in message.walk():
        if part.is_multipart():
            continue
        name = str(part.get_param("name", "", "content-disposition"))
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        file_name = part.get_filename()
        if file_name is None:
            fields.setdefault(name, []).append(content.decode("utf-8", "replace"))
        # Files in other fields are ignored, as on the server.
        elif name in ("files", "file"):
            files.append((file_name, part.get_content_type(), content))
    return Form(fields, files)


def _parse_status(form: Form, default: str = "") -> str:
    status = form.get("status", default).strip().lower()
    if status in _SUCCESSES:
        return "succeeded"
    return status if status in _STATUSES else "failed"


def _parse_files(form: Form) -> dict[str, tuple[str, bytes]]:
    """Return type and bytes of the files by their path below the folder of the plugin."""
    paths = [*(form.fields.get("output_paths") or form.fields.get("output_path") or ())]
    # All paths in one field, as JSON.
    if len(paths) == 1 and paths[0].startswith("["):
        paths = list(map(str, json.loads(paths[0])))
    # A file without a path goes by its own name.
    paths += [name for name, _, _ in form.files[len(paths) :]]
    files: dict[str, tuple[str, bytes]] = {}
    for text, (_, kind, content) in zip(paths, form.files, strict=False):
        path = text.strip().replace("\\", "/")
        if not path:
            raise Detail(400, "ArchiveResult output path is required")
        # Empty parts include the one before a slash at the beginning.
        if not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise Detail(400, "Invalid ArchiveResult output path")
        files[path] = (kind, content)
    return files


def _parse_data(form: Form) -> dict[str, Any] | None:
    text = form.get("output_json")
    if not text:
        return None
    try:
        data = json.loads(text)
    except ValueError:
        raise Detail(400, "ArchiveResult output_json must be valid JSON") from None
    if data is not None and not isinstance(data, dict):
        raise Detail(400, "ArchiveResult output_json must be a JSON object")
    return data
