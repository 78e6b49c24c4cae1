"""One ArchiveBox request from its arguments to its result."""

from __future__ import annotations

from typing import Any

from ..confirmations import Confirmations
from ..dialogue import Asker
from ..errors import Code, Failure
from ..results import Result
from .client import ArchiveBox
from .requests import Box, BoxRequest

_HINTS = {
    Code.NOT_FOUND: "Look it up in its list again: it may be gone, or the id another kind of object's.",
    Code.INVALID_ARGUMENT: "Correct the arguments and call again.",
    Code.UNSUPPORTED: "The user can update ArchiveBox.",
    Code.BAD_RESPONSE: "Look whether it was done before trying again; ArchiveBox's log on the server says more.",
    Code.REJECTED: "Look at what it says before trying again.",
}


class ArchiveBoxBackend:
    """Performs typed ArchiveBox requests."""

    def __init__(self, client: ArchiveBox, confirmations: Confirmations) -> None:
        self.client = client
        self._confirmations = confirmations

    async def perform(self, request: BoxRequest[Any], asker: Asker, deadline: float) -> Result:
        """Do what the request says before `deadline` (on the client's monotonic clock).

        Raises:
            Failure: whatever kept it from being done, in the caller's words.
        """
        if request.confirmed:
            self._confirmations.refuse_if_never()
        api = await self.client.describe(deadline)
        try:
            return await request.perform(Box(self.client, api, deadline, asker, self._confirmations))
        except Failure as failure:
            failure.hint = failure.hint or _HINTS.get(failure.code, "")
            raise
