"""One ArchiveBox request from its arguments to its result."""

from __future__ import annotations

from typing import Any

from server.archivebox.client import ArchiveBox
from server.archivebox.context import BoxDesk, BoxWorkflow
from server.archivebox.endpoints import Box, BoxRequest
from server.archivebox.openapi import Description
from server.errors import Code, Failure
from server.http.urls import parse_origin
from server.tool.confirmation import Confirmations
from server.tool.context import Place, Shared
from server.tool.elicitation import Asker
from server.tool.result import Result

_HINTS = {
    Code.NOT_FOUND: "Look it up in its list again: it may be gone, or the id another kind of object's.",
    Code.INVALID_ARGUMENT: "Correct the arguments and call again.",
    Code.UNSUPPORTED: "The user can update ArchiveBox.",
    Code.BAD_RESPONSE: "Look whether it was done before trying again; ArchiveBox's log on the server says more.",
    Code.REJECTED: "Look at what it says before trying again.",
}


class ArchiveBoxBackend:
    """Performs typed ArchiveBox requests."""

    def __init__(
        self, client: ArchiveBox, confirmations: Confirmations, shared: Shared | None = None
    ) -> None:
        self.client = client
        self._shared = shared
        self._confirmations = confirmations

    async def perform(
        self, request: BoxRequest[Any] | BoxWorkflow[Any], asker: Asker, deadline: float
    ) -> Result:
        """Do what the request says before `deadline` (on the client's monotonic clock).

        Raises:
            Failure: whatever kept it from being done, in the caller's words.
        """
        if request.confirmed:
            self._confirmations.refuse_if_never()
        api = await self.client.describe(deadline)
        try:
            if isinstance(request, BoxWorkflow):
                return await request.run(self.desk(api, asker, deadline))
            return await request.perform(
                Box(self.client, api, deadline, asker, self._confirmations)
            )
        except Failure as failure:
            failure.hint = failure.hint or _HINTS.get(failure.code, "")
            raise

    def desk(self, api: Description, asker: Asker, deadline: float) -> BoxDesk:
        """What a workflow works with."""
        if self._shared is None:
            raise TypeError("a backend without jobs and files serves no workflow")
        place = Place(parse_origin(self.client.url), self.client.account)
        return BoxDesk(place, self._shared, self._confirmations, asker, deadline, self.client, api)
