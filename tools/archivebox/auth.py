"""The key in use. Neither tool takes an argument or shows a key: it stays inside the server."""

from __future__ import annotations

from typing import Any, ClassVar

from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Change, Get
from server.tool.request import Risk
from server.tool.result import Result, whole
from tools.archivebox.records import Key


class GetApiToken(Change[Key]):
    """Exchange the configured login for an API key, which stays inside this server."""

    operation = "POST /auth/get_api_token"
    title = "Get a key"
    search_hint = (
        "log in to my box, sign in, new api key, token, password, credentials, login again, "
        "expired key, authenticate, unauthorized, login to archivebox, renew the key, "
        "re-authenticate"
    )
    risk: ClassVar[Risk] = "adds"
    repeatable = True
    verify = "call it again: an unexpired key is given again."

    async def run(self, context: ArchiveBoxContext) -> Result:
        # Through the client's own keys: later calls use it, and no result shows it.
        return whole(
            await context.api.client.keys.exchange(context.api.client, context.api.deadline)
        )


class CheckApiToken(Get[Key]):
    """Check whether ArchiveBox accepts the API key in use, and until when."""

    operation = "POST /auth/check_api_token"
    title = "Check the key"
    search_hint = (
        "does the key still work, token valid, expired, expires when, unauthorized errors, 401, "
        "access denied, connection to my box, log in works, credentials, is my login ok, test the "
        "connection, when does my key run out, forbidden, credentials valid, still logged in"
    )

    async def run(self, context: ArchiveBoxContext) -> Result:
        from server.archivebox.client import Send
        from server.archivebox.failures import decode

        key = await context.api.client.keys.get_key(context.api.client, context.api.deadline)
        # The key in question stands in the body: it must not also be what lets the request in.
        checked: Any = await context.api.client.send(
            Send("POST", "/auth/check_api_token", context.api.deadline, body={"token": key}),
            authenticated=False,
        )
        # The check accepts keys of users who may do nothing: whether the key works is seen by using
        # it.
        reply = await context.api.client.raw(
            Send("GET", "/core/tags", context.api.deadline, params={"limit": 1})
        )
        # The headers of each answer say until when the key is good.
        context.api.client.keys.learn_expiry(reply.headers.get("x-archivebox-auth-expires"))
        decode(reply)
        return whole(
            {
                "valid": isinstance(checked, dict) and checked.get("success") is True,
                "usable": True,
                **context.api.client.keys.to_dict(),
            }
        )
