"""The key in use. Neither tool takes an argument or shows a key: it stays inside the server."""

from __future__ import annotations

from typing import Any, ClassVar

from server.archivebox.endpoints import Box, Change, Get
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox.records import Key


class GetApiToken(Change[Key]):
    """Exchange the configured login for an API key, which stays inside this server."""

    operation = "POST /auth/get_api_token"
    title = "Get a key"
    risk: ClassVar[Risk] = "adds"
    repeatable = True
    verify = "call it again: an unexpired key is given again."

    async def run(self, box: Box) -> Result:
        return whole(await box.client.keys.exchange(box.client, box.deadline))


class CheckApiToken(Get[Key]):
    """Check whether ArchiveBox accepts the key in use, and until when."""

    operation = "POST /auth/check_api_token"
    title = "Check the key"

    async def run(self, box: Box) -> Result:
        from server.archivebox.client import Send
        from server.archivebox.failures import decode

        key = await box.client.keys.get_key(box.client, box.deadline)
        checked: Any = await box.client.send(
            Send("POST", "/auth/check_api_token", box.deadline, body={"token": key}),
            authenticated=False,
        )
        # The check accepts keys of users who may do nothing: whether the key works is seen by using
        # it.
        reply = await box.client.raw(Send("GET", "/core/tags", box.deadline, params={"limit": 1}))
        box.client.keys.learn_expiry(reply.headers.get("x-archivebox-auth-expires"))
        decode(reply)
        return whole(
            {"valid": checked.get("success") is True, "usable": True, **box.client.keys.to_dict()}
        )
