"""Who calls: keys, passwords on older releases, and the browser sessions that private pages
want."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from server.sandbox.archivebox.answers import Detail
from server.sandbox.archivebox.call import Call, Request
from server.sandbox.archivebox.world.records import (
    User,
    abid,
    dashed,
    time_id,
)
from server.sandbox.archivebox.world.world import (
    ADMIN,
    READER,
    USERS,
    World,
)

KEY = "sandbox-archivebox-key"
KEY_READER = "sandbox-archivebox-key-reader"
"""Valid, but its owner is no superuser, so that every endpoint refuses it."""
KEY_EXPIRED = "sandbox-archivebox-key-expired"
USERNAME, PASSWORD = ADMIN.name, ADMIN.password
SESSION = "sandbox-archivebox-session"
COOKIE = "sessionid"
_DAYS = 30
_OWNERS = {KEY: ADMIN, KEY_READER: READER}
_NOT_ALLOWED = "User does not have permission (make sure user.is_superuser=True)"


@dataclass(frozen=True)
class Caller:
    """Who a request is from and how that is known; `key` is empty unless a key said so."""

    user: User | None = None
    method: str = "None"
    key: str = ""


def caller_of(request: Request, world: World, *, required: bool, in_query: bool = True) -> Caller:
    """Who sent the request.

    Args:
        required: refuse requests without valid credentials of a superuser.
        in_query: whether a key in the address counts.

    Raises:
        Detail: 401 without valid credentials, 403 for somebody who is no superuser.
    """
    for method, user, key in _credentials(request, world):
        if user is None or (method == "QueryParamTokenAuth" and not in_query):
            continue
        if required and not user.superuser:
            lead = "Valid API token but" if world.dialect.old else "Valid credentials but"
            raise Detail(403, f"{lead} {_NOT_ALLOWED}")
        return Caller(user, method, key)
    if required:
        raise Detail(401, "Unauthorized")
    return Caller()


def headers_of(caller: Caller, world: World) -> dict[str, str]:
    """What every answer of the API says about its caller."""
    token = time_id(world.anchor, world.seed, 1, 82)
    shown = abid("apt", token) if world.dialect.old else token
    return {
        "cache-control": "no-store",
        "x-archivebox-stdout": "",
        "x-archivebox-stderr": "",
        "x-archivebox-auth-method": caller.method,
        "x-archivebox-auth-expires": expires(world).isoformat() if caller.key else "Never",
        "x-archivebox-auth-token-id": shown if caller.key else "None",
        "x-archivebox-auth-user-id": str(caller.user.id) if caller.user else "None",
        "x-archivebox-auth-user-username": caller.user.name if caller.user else "None",
    }


def expires(world: World) -> datetime:
    """When the keys end: they are as old as the sandbox."""
    return world.anchor + timedelta(days=_DAYS)


def get_api_token(call: Call) -> Any:
    """`POST /auth/get_api_token`: the same unexpired key every time; refusals come with status
    200."""
    user = _signed_in(call.body.username, call.body.password)
    if user is None or not user.superuser:
        return {"success": False, "errors": ["Invalid credentials"]}
    until = expires(call.world).isoformat()
    if call.dialect.old:
        token = time_id(call.world.anchor, call.world.seed, 1, 82)
        return {
            "TYPE": "APIToken",
            "id": dashed(token),
            "abid": abid("apt", token),
            "created_by_id": str(user.id),
            "token": KEY,
            "created_at": call.world.anchor.isoformat(),
            "expires": until,
        }
    return {
        "success": True,
        "user_id": str(user.id),
        "username": user.name,
        "token": KEY,
        "expires": until,
    }


def check_api_token(call: Call) -> Any:
    """`POST /auth/check_api_token`: says yes even to keys that every endpoint refuses."""
    user = _OWNERS.get(call.body.token)
    return {"success": user is not None, "user_id": str(user.id) if user else None}


def browser_session(call: Call) -> Any:
    """`POST /auth/browser_session`: a session for a browser, its secret included."""
    until = min(expires(call.world), call.world.moment() + timedelta(days=14))
    cookie = {"name": COOKIE, "value": SESSION, "expires": until.timestamp(), "secure": False}
    host = call.request.headers.get("host", "archivebox.localhost:5797")
    return {"admin_url": f"http://{host}/admin/", "cookie": cookie}


def has_session(request: Request) -> bool:
    """Whether the request comes from a browser that an administrator is signed in with."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return False
    return COOKIE in cookies and cookies[COOKIE].value == SESSION


def _credentials(request: Request, world: World) -> Iterator[tuple[str, User | None, str]]:
    """Every way in which the request names somebody, in the order in which the server tries
    them."""
    key = request.headers.get("x-archivebox-api-key", "")
    yield "HeaderTokenAuth", _OWNERS.get(key), key
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield "BearerTokenAuth", _OWNERS.get(token.strip()), token.strip()
    key = parse_qs(request.query).get("api_key", [""])[-1]
    yield "QueryParamTokenAuth", _OWNERS.get(key), key
    if world.dialect.basic and scheme.lower() == "basic":
        yield "UsernameAndPasswordAuth", _basic(token), ""


def _basic(token: str) -> User | None:
    try:
        name, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return _signed_in(name, password)


def _signed_in(name: str | None, password: str | None) -> User | None:
    return next(
        (
            user
            for user in USERS
            if user.password and (user.name, user.password) == (name, password)
        ),
        None,
    )
