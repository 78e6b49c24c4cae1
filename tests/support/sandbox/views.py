"""The three kinds of saved views, for tests that treat them alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.sandbox.ids import Kind
from tests.server.sandbox.archive.conftest import Client, Json
from tests.support.sandbox.calls import VIEW, done, read


@dataclass(frozen=True)
class ViewKind:
    """How the operations of one kind of view are called, and a condition that suits it."""

    name: str
    kind: Kind
    condition: tuple[str, str, str, object]

    @property
    def single(self) -> str:
        return self.name[0].lower() + self.name[1:]

    @property
    def plural(self) -> str:
        return f"{self.single}s"

    @property
    def wrapped(self) -> str:
        return f"{self.single} {{ {VIEW} }}"

    @property
    def deleted(self) -> str:
        return f"deleted{self.name}Id"

    @property
    def conditions(self) -> list[Json]:
        return [dict(zip(("field", "operator", "type", "value"), self.condition, strict=True))]


FAVOURITE = ("favourite", "IS", "BOOLEAN", True)
CONTENT = ViewKind("ContentView", Kind.CONTENT_VIEW, ("review_score", "EQUAL", "NUMBER", 5))
CREATORS = ViewKind("CreatorView", Kind.CREATOR_VIEW, FAVOURITE)
PROFILES = ViewKind("SocialProfileView", Kind.PROFILE_VIEW, FAVOURITE)
KINDS = [CONTENT, CREATORS, PROFILES]
REACH = [{"sortKey": "FOLLOWERS_COUNT", "sortOrder": "DESC"}]


async def make(client: Client, kind: ViewKind, **parts: Any) -> Json:
    given = {"input": {"name": "Mine", "filters": {}, **parts}}
    found: Json = await done(client, f"create{kind.name}", kind.wrapped, given)
    return found


async def update(client: Client, kind: ViewKind, text: str, **parts: Any) -> Json:
    found: Json = await done(
        client, f"update{kind.name}", kind.wrapped, {"id": text, "input": parts}
    )
    return found


async def one(client: Client, kind: ViewKind, text: str, **how: Any) -> Any:
    return await read(client, kind.single, VIEW, {"id": text}, **how)
