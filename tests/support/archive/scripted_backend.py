"""A backend whose API answers as a test says."""

from __future__ import annotations

from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.operations import ArchiveRequest
from server.errors import Failure
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import (
    Asker,
    Nobody,
)
from server.tool.result import compact
from tests.support.doubles import IdleProcess, ScriptedArchive

Json = dict[str, Any]
HOME = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


class Backend:
    """A backend whose API answers by operation; the workspaces come in two pages."""

    def __init__(self, mode: Any = "ask", default: str | None = HOME, **answers: Any) -> None:
        self._answers = answers
        self.archive = ScriptedArchive(self._respond)
        self.backend = ArchiveBackend(
            self.archive,
            default,
            Confirmations(mode, MemoryTokens(self.archive.clock)),
            IdleProcess(),
        )

    def _respond(self, call: Call) -> Any:
        if call.operation == "workspaces" and "workspaces" not in self._answers:
            assert call.workspace is None
            second = call.variables.get("after") == "c1"
            assert second or "after" not in call.variables
            node = (
                {"id": OTHER, "name": "Other"} if second else {"id": HOME.upper(), "name": "Home"}
            )
            return {
                "nodes": [node],
                "pageInfo": {"endCursor": "c2" if second else "c1", "hasNextPage": not second},
            }
        answer = self._answers[call.operation]
        return answer(call) if callable(answer) else answer

    async def perform(self, request: ArchiveRequest[Any], asker: Asker | None = None) -> Json:
        result = await self.backend.run(request, Caller(asker or Nobody(), self.archive.now() + 45))
        assert result.text == compact(result.structured)
        return result.structured

    async def refused(self, request: ArchiveRequest[Any], asker: Asker | None = None) -> Failure:
        with pytest.raises(Failure) as caught:
            await self.perform(request, asker)
        return caught.value

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.archive.calls]
