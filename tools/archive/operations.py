"""Background operations: what was started, and how far it is."""

from __future__ import annotations

from pydantic import Field

from server.archive.requests import Connection, Id, Query

from .records import Operation, OperationSummary


class GetOperations(Connection[OperationSummary]):
    """List background operations of the workspace, such as engagement refreshes, with their
    status."""

    operation = "operations"
    title = "List operations"


class GetOperation(Query[Operation]):
    """Show how far a background operation is: QUEUED, PROCESSING, then COMPLETED, PARTIAL or FAILED
    (all three final), with the ids of its items. Wait some seconds between looks, longer each
    time."""

    operation = "operation"
    title = "Show an operation"
    missing = "No operation has that id in this workspace."
    instead = "{operations} lists those there are."

    id: Id = Field(description="Operation id.")
