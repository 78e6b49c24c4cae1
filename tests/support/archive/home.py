"""A workspace with select attributes behind a scripted API, for the tests of option names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.archive.operations import ArchiveRequest
from server.errors import Failure
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from server.tool.result import compact
from tests.support.doubles import IdleProcess, ScriptedArchive

Json = dict[str, Any]
HOME, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
VIP, GIFTED, LOWER, TWIN_A, TWIN_B, ACTIVE, REVIEW = (
    f"0f8fad5b-d9cb-469f-a165-{n:012d}" for n in range(7)
)


def select(key: str, name: str, kind: str, **options: str) -> Json:
    listed = [
        {"id": identity, "name": text.replace("_", " ")} for text, identity in options.items()
    ]
    return {"key": key, "name": name, "type": kind, "options": listed}


LABELS = select(
    "labels",
    "Labels",
    "MULTIPLE_SELECT_V2",
    VIP=VIP,
    Gifted=GIFTED,
    gifted=LOWER,
    Twin_one=TWIN_A,
    TWIN_ONE=TWIN_B,
)
CREATOR = [
    {
        "key": "full_name",
        "name": "Full name",
        "type": "TEXT",
        "options": [{"id": VIP, "name": "VIP"}],
    },
    {"key": "emails", "name": "E-mails", "type": "TEXT_LIST", "options": []},
    LABELS,
    select("collaboration_status", "Relationship status", "SINGLE_SELECT_V3", Active=ACTIVE),
]
ITEM = [select("themes", "Themes", "MULTIPLE_SELECT_V2", Review=REVIEW)]


class Home:
    """A workspace whose attributes can change, and whose lists hold two records, one a page."""

    def __init__(self) -> None:
        self.schemas: Any = {"CREATOR": list(CREATOR), "ITEM": ITEM}
        self.record: Callable[[int], Json] = lambda number: {"id": str(number)}
        self.total = 2
        self.archive = ScriptedArchive(self._respond)
        self.backend = ArchiveBackend(
            self.archive,
            HOME,
            Confirmations("ask", MemoryTokens(self.archive.clock)),
            IdleProcess(),
        )

    def _respond(self, call: Call) -> Any:
        if call.operation == "customAttributeSchemas":
            return self.schemas[call.variables["entity"]]
        if call.operation == "creator":
            return self.record(1)
        if call.operation == "createCreatorView":
            return {"creatorView": {"id": "1", "name": "V"}, "userErrors": []}
        second = "after" in call.variables
        numbers = [2] if second else [1, 2][: call.variables["first"]]
        return {
            "nodes": [self.record(each) for each in numbers],
            "pageInfo": {"endCursor": "c2" if second else "c1", "hasNextPage": numbers == [1]},
            "totalCount": self.total,
        }

    async def perform(self, request: ArchiveRequest[Any]) -> Json:
        result = await self.backend.run(request, Caller(Nobody(), self.archive.now() + 45))
        assert result.text == compact(result.structured)
        return result.structured

    async def refused(self, request: ArchiveRequest[Any]) -> Failure:
        with pytest.raises(Failure) as caught:
            await self.perform(request)
        return caught.value

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.archive.calls]

    @property
    def asked(self) -> Any:
        """The value of the first condition as it was sent last."""
        return self.archive.calls[-1].variables["customAttributeConditions"][0]["value"]
