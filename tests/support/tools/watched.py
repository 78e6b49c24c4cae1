"""A sandbox that notes every change that arrives at it, and can lose its answers; and all that is
saved in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from server.sandbox import (
    COFFEE,
    MAIN,
    OUTDOOR,
    PATH,
    TOKEN,
    Answer,
    Sandbox,
)

Json = dict[str, Any]
Fate = Literal["lost", "502", "504", "429", "unreachable"]
"""What becomes of a change: made, but its answer is lost or a gateway gives up on it; or not made
at all."""

NAMES = {MAIN: "Northwind Skincare", OUTDOOR: "Northwind Outdoor", COFFEE: "Bluebird Coffee"}
_RELATED = ("collections", "contentViews", "creatorViews", "socialProfileViews")
_COUNTED = ("items", "operations")
_VIEW = "{ id name filters customAttributeConditions sort showReportingStats group { id } }"
_EVERYTHING = (
    "{ collections { id name itemCount group { id } } viewGroups { id name "
    + " ".join(f"{each} {{ id }}" for each in _RELATED)
    + " } "
    + " ".join(f"{each} {_VIEW}" for each in _RELATED[1:])
    + " ".join(f" {each}(first: 1) {{ totalCount }}" for each in _COUNTED)
    + " }"
)
_REELS = (
    "{ items(first: 3, filter: {itemTypes: [REEL]}) { nodes { id socialProfile { accountName } "
    "} } }"
)
_HELD = '{ items(first: 1, filter: {collectionsIds: ["%s"]}) { nodes { id } } }'
_ERROR = (
    '{"errors":[{"message":"Retry after 0.01 seconds.",'
    '"extensions":{"code":"RATE_LIMIT_EXCEEDED"}}]}'
)


class Cut(Exception):
    """The connection ends here, without an answer."""


@dataclass(frozen=True)
class Saved:
    """All that is saved in the three workspaces: records by id, and the ids by label
    (`collections/Q3 Report`).

    `words` are what a question tells of it.
    """

    records: dict[str, Json] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)


class Watched(Sandbox):
    """A sandbox that keeps the names of the changes that arrived.

    `fates` are those of the next changes; `instead` answers every change in place of the sandbox,
    with its payload; `later` is the whole answer to those that have no fate.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(items=200, rate=10_000, plan="enterprise", **how)
        self.arrived: list[str] = []
        self.fates: list[Fate] = []
        self.instead: Json | None = None
        self.later: Json | None = None

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Answer a request; raises Cut or httpx's own error where its fate is to get no answer."""
        operation = _change_in(body)
        if operation is None:
            return await super().handle(method, path, headers, body)
        fate = self.fates.pop(0) if self.fates else None
        if fate == "unreachable":
            raise httpx.ConnectError("nobody listens")
        self.arrived.append(operation)
        if fate == "429":
            return Answer(
                429, {"content-type": "application/json", "retry-after": "0"}, _ERROR.encode()
            )
        if fate == "502":
            return Answer(502, {"content-type": "text/html"}, b"<html>Bad Gateway</html>")
        if self.instead is not None:
            return Answer(200, {}, json.dumps({"data": {operation: self.instead}}).encode())
        if self.later is not None and fate is None:
            return Answer(200, {}, json.dumps(self.later).encode())
        answer = await super().handle(method, path, headers, body)
        if fate == "lost":
            raise Cut
        return (
            Answer(504, {"content-type": "text/html"}, b"<html>Timeout</html>")
            if fate == "504"
            else answer
        )

    async def saved(self) -> Saved:
        """What is saved now; some items have labels too: three of the main workspace, one that is
        in a collection."""
        found = Saved()
        for workspace, name in NAMES.items():
            _keep(found, name, await self._asked(workspace, _EVERYTHING))
            home = self.world.by_id(workspace)
            assert home is not None
            found.records[name]["wallet"] = home.changes.credits
        reels = (await self._asked(MAIN, _REELS))["items"]["nodes"]
        held = await self._asked(MAIN, _HELD % found.ids["collections/Team Favourites"])
        abroad = await self._asked(OUTDOOR, _REELS)
        found.ids.update({f"items/{n}": each["id"] for n, each in enumerate(reels)})
        found.ids["items/held"] = held["items"]["nodes"][0]["id"]
        found.ids["items/abroad"] = abroad["items"]["nodes"][0]["id"]
        accounts = sorted({each["socialProfile"]["accountName"] for each in reels[:2]})
        q3 = found.records.get(found.ids.get("collections/Q3 Report", ""), {})
        found.words.update(
            accounts=", ".join(f'"{each}"' for each in accounts), items=q3.get("itemCount")
        )
        return found

    async def _asked(self, workspace: str, query: str) -> Json:
        sent = {
            "authorization": f"Bearer {TOKEN}",
            "content-type": "application/json",
            "workspace-id": workspace,
        }
        answer = await super().handle("POST", PATH, sent, json.dumps({"query": query}).encode())
        body = json.loads(answer.body)
        assert "errors" not in body, body
        data: Json = body["data"]
        return data


def differences(before: Saved, after: Saved) -> Json:
    """What changed, by label: `new`, `gone`, or the fields with what they are now; of numbers, by
    how much."""
    labels = {id: label for label, id in [*after.ids.items(), *before.ids.items()]}
    found: Json = {labels[id]: "new" for id in after.records.keys() - before.records.keys()}
    for id, old in before.records.items():
        new = after.records.get(id)
        if new is None:
            found[labels[id]] = "gone"
        elif new != old:
            changed = {key: _step(old[key], new[key]) for key in old if old[key] != new[key]}
            found[labels.get(id, id)] = _labelled(changed, labels)
    return found


def resolved(value: Any, *known: Saved) -> Any:
    """The value with ids in place of labels, which begin with an `@`."""
    if isinstance(value, dict):
        return {key: resolved(each, *known) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, *known) for each in value]
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    return next(saved.ids[value[1:]] for saved in known if value[1:] in saved.ids)


def _change_in(body: bytes) -> str | None:
    # A file that is fetched.
    if not body:
        return None
    query = json.loads(body)["query"]
    found = re.match(r"mutation[^{]*\{ (\w+)", query)
    return found[1] if found else None


def _keep(found: Saved, workspace: str, data: Json) -> None:
    for kind in ("viewGroups", *_RELATED):
        for row in data[kind]:
            label = f"{kind}/{row['name']}"
            assert label not in found.ids, f"two are called {label}"
            found.ids[label] = row["id"]
            found.records[row["id"]] = {key: _ids(each) for key, each in row.items() if key != "id"}
    found.records[workspace] = {each: data[each]["totalCount"] for each in _COUNTED}


def _ids(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"id"}:
        return value["id"]
    return [_ids(each) for each in value] if isinstance(value, list) else value


def _step(old: Any, new: Any) -> Any:
    return new - old if type(old) is int and type(new) is int else new


def _labelled(value: Any, labels: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _labelled(each, labels) for key, each in value.items()}
    if isinstance(value, list):
        return [_labelled(each, labels) for each in value]
    return labels.get(value, value) if isinstance(value, str) else value
