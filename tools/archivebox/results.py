"""Archive results: the single outputs of a snapshot, where success and failure are recorded."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.client import Upload
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Change, Get, Text
from server.archivebox.moments import At, From, split_exact
from server.archivebox.openapi import Description
from server.archivebox.pagination import Paged, Record
from server.errors import Code, Failure
from server.tool.request import Risk
from server.tool.result import Result
from tools.archivebox import records
from tools.archivebox.records import ArchiveResult
from tools.archivebox.snapshots.lookup import resolve_url

ResultStatus = Literal[
    "queued", "started", "paused", "backoff", "succeeded", "failed", "skipped", "noresults"
]


class ListArchiveresults(Paged[ArchiveResult]):
    """List outputs of saved pages, such as PDF or screenshot: which plugin ran, with what status,
    and why it failed (`output_str`). For whole pages that failed use archivebox_list_snapshots."""

    operation = "GET /core/archiveresults"
    title = "List archive results"
    search_hint = (
        "outputs, why did screenshots fail, which extractor failed, wget, chrome, singlefile, "
        "yt-dlp, methods, attempts, what went wrong, which pages have no pdf, failing plugin, "
        "youtube downloads that failed, media downloads, reasons, failures, error messages, which "
        "captures did not work, skipped, errors last night, every screenshot attempt that went "
        "wrong, why did the pdf fail, broken, errors, failed screenshots, failed pdfs, this week"
    )

    status: ResultStatus | None = Field(None, description="Its outcome.")
    plugin: Text | None = Field(None, description="Plugin, such as wget or screenshot.")
    snapshot_id: Text | None = Field(None, description="Id or URL of the page.")
    snapshot_url: Text | None = Field(None, description="Part of the page's URL.")
    snapshot_tag: Text | None = Field(None, description="Name of a tag of the page.")
    search: Text | None = Field(None, description="Words in any of these.")
    output_str: Text | None = Field(None, description="Part of the output or the reason.")
    id: Text | None = Field(None, description="Part of the id.")
    # No `cmd`: the server answers that filter with a 503 (a fault of its own).
    hook_name: Text | None = Field(None, description="Script of the plugin (0.9).")
    process_id: Text | None = Field(None, description="Id of its process (0.9).")
    created_at: At | None = Field(None, description="Made at this time.")
    created_at__gte: From | None = Field(None, description="Made from this time on.")
    created_at__lt: From | None = Field(None, description="Made before this time.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        if self.snapshot_id:
            self.snapshot_id = await resolve_url(context.api, self.snapshot_id)
        return await super().run(context)

    def require_supported(self, description: Description, values: dict[str, Any]) -> dict[str, Any]:
        # The names of 0.8.5.
        old = {"plugin": "extractor", "output_str": "output"}
        renamed = {
            name if description.takes(self.operation, name) else old.get(name, name): value
            for name, value in split_exact(values).items()
        }
        return super().require_supported(description, renamed)

    def one(self, record: Record) -> Record:
        return records.result(record)


class GetArchiveresult(Get[ArchiveResult]):
    """Get one output of a saved page with its files and what the program reported. To find it use
    archivebox_list_archiveresults."""

    operation = "GET /core/archiveresult/{archiveresult_id}"
    title = "Get an archive result"
    most_characters = 200_000
    search_hint = (
        "output and error of a single wget, pdf or screenshot run, exact error message, log of "
        "one output, files of one output, command that was run, why did this capture fail, "
        "details of one capture, what did it print, one failed attempt, failed extraction, why "
        "this one failed, stack trace"
    )

    archiveresult_id: Text = Field(description="Id, or a unique part.")

    def present(self, result: Any) -> dict[str, Any]:
        return records.result(result)


class CreateArchiveresult(Change[ArchiveResult]):
    """Record an output of a saved page that was made elsewhere."""

    operation = "POST /core/archiveresults"
    title = "Record an archive result"
    search_hint = (
        "record an output made elsewhere, attach my own result, register a capture, add a result "
        "by hand, manual output, external tool, store my note as a result for a page, I made a "
        "capture myself, record manually, own screenshot, from another tool, by hand, note it "
        "down, WARC of our own"
    )
    risk: ClassVar[Risk] = "adds"
    repeatable = False
    since = "0.9.73"
    verify = "list the page's results ({GET /core/archiveresults})."

    snapshot_id: Text = Field(description="Id or URL of the page.")
    plugin: Text = Field(description="Plugin, such as pdf.")
    output_str: str = Field("", description="The output as text.")
    status: ResultStatus = Field("succeeded", description="Its outcome.")
    hook_name: Text | None = Field(None, description="Script of the plugin.")
    output_json: Text | None = Field(None, description="The output as JSON text.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        self.snapshot_id = await resolve_url(context.api, self.snapshot_id)
        return await super().run(context)

    async def send(self, api: ArchiveBoxApi, body: dict[str, Any]) -> Any:
        return await api.form(
            "POST", self.path(), {**body, "status": self.status}, verify=self.verify
        )

    def present(self, result: Any) -> dict[str, Any]:
        return records.result(result)


class UpdateArchiveresult(Change[ArchiveResult]):
    """Add a text file to an output, with its outcome. The API wants a file in any case."""

    operation = "PATCH /core/archiveresult/{archiveresult_id}"
    title = "Change an archive result"
    search_hint = (
        "change one capture, set a failed capture back to queued, run once more, mark an output "
        "as succeeded or skipped, attach a note or text file to an output, fix the status of a "
        "pdf, screenshot result, correct the result, add a note to the capture, upload a text "
        "file, change outcome, mark as skipped, failed download entry"
    )
    risk: ClassVar[Risk] = "changes"
    repeatable = False
    since = "0.9.73"
    verify = "get it again ({GET /core/archiveresult/{archiveresult_id}})."

    archiveresult_id: Text = Field(description="Id of the output.")
    file_name: Text = Field(description="Such as notes.txt.")
    text: str = Field(description="Content of the file.")
    output_str: str | None = Field(None, description="New text of the output.")
    status: ResultStatus | None = Field(None, description="New outcome.")
    output_json: Text | None = Field(None, description="The output as JSON text.")

    async def send(self, api: ArchiveBoxApi, body: dict[str, Any]) -> Any:
        fields = {name: value for name, value in body.items() if name not in ("file_name", "text")}
        # The server would replace a file of that name, so it is looked for right before.
        record: Record = await api.get(self.path())
        if {self.file_name, quote(self.file_name)} & set(record.get("output_files") or {}):
            raise Failure(
                Code.REJECTED,
                f"The result has a file {self.file_name!r} already, which would be overwritten. "
                "Nothing was changed.",
                "Choose another name.",
            )
        file = Upload(self.file_name, self.text.encode())
        return await api.form("PATCH", self.path(), fields, verify=self.verify, file=file)

    def check(self) -> None:
        # A name that leads out of the output's folder must not get to the server.
        if "/" in self.file_name or "\\" in self.file_name or self.file_name in (".", ".."):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"{self.file_name!r} is not a file name.",
                "For example notes.txt.",
            )

    def require_supported(self, description: Description, values: dict[str, Any]) -> dict[str, Any]:
        return values  # the server's description does not declare this form's fields

    def present(self, result: Any) -> dict[str, Any]:
        return records.result(result)
