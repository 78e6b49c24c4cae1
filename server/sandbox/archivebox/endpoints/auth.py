"""Who calls: keys, passwords on older releases, and the browser sessions that private pages
require."""

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
    ADMIN,
    READER,
    USERS,
    User,
    add_dashes,
    find_first,
    make_abid,
    make_time_id,
)
from server.sandbox.archivebox.world.world import World

KEY = "sandbox-archivebox-key"
# Valid, but its owner is no superuser, so that every endpoint refuses it.
KEY_READER = "sandbox-archivebox-key-reader"
KEY_EXPIRED = "sandbox-archivebox-key-expired"
USERNAME, PASSWORD = ADMIN.name, ADMIN.password
SESSION = "sandbox-archivebox-session"
COOKIE = "sessionid"
# Where the server believes to be for a request without a host.
DEFAULT_HOST = "archivebox.localhost:5797"
# How long keys stay valid.
_DAYS = 30
_OWNERS = {KEY: ADMIN, KEY_READER: READER}
_NOT_ALLOWED = "User does not have permission (make sure user.is_superuser=True)"


@dataclass(frozen=True)
class Caller:
    """Who a request is from and how that is known.

    method: the name of the server's class that recognised the caller. key: empty without a key.
    """

    user: User | None = None
    method: str = "None"
    key: str = ""


def identify_caller(
    request: Request, world: World, *, required: bool, in_query: bool = True
) -> Caller:
    """Return who sent the request.

    Args:
        required: refuse requests without valid credentials of a superuser.
        in_query: whether a key in the address counts.

    Raises:
        Detail: 401 without valid credentials, 403 for somebody who is no superuser.
    """
    callers = _list_credentials(request, world, in_query=in_query)
    # The first valid credentials decide: later ones are not looked at.
    caller = find_first(callers, lambda caller: caller.user) or Caller()
    if not required:
        return caller
    if caller.user is None:
        raise Detail(401, "Unauthorized")
    if not caller.user.superuser:
        kind = "API token" if world.dialect.old else "credentials"
        raise Detail(403, f"Valid {kind} but {_NOT_ALLOWED}")
    return caller


def make_caller_headers(caller: Caller, world: World) -> dict[str, str]:
    """Return what every answer of the API says about its caller."""
    user_id, username = ("None", "None")
    if caller.user:
        user_id, username = str(caller.user.id), caller.user.name
    expiry, token_id = "Never", "None"
    if caller.key:
        expiry, token_id = get_expiry(world).isoformat(), _make_token_id(world)
        if world.dialect.old:
            token_id = make_abid("apt", token_id)
    return {
        "cache-control": "no-store",
        "x-archivebox-stdout": "",
        "x-archivebox-stderr": "",
        "x-archivebox-auth-method": caller.method,
        "x-archivebox-auth-expires": expiry,
        "x-archivebox-auth-token-id": token_id,
        "x-archivebox-auth-user-id": user_id,
        "x-archivebox-auth-user-username": username,
    }


def get_expiry(world: World) -> datetime:
    """Return when the keys end: they are as old as the sandbox."""
    return world.anchor + timedelta(days=_DAYS)


def get_api_token(call: Call) -> Any:
    """Answer `POST /auth/get_api_token`: the same unexpired key every time; refusals come with
    status 200."""
    user = _sign_in(call.body.username, call.body.password)
    if user is None or not user.superuser:
        return {"success": False, "errors": ["Invalid credentials"]}
    expiry = get_expiry(call.world).isoformat()
    if not call.dialect.old:
        return {
            "success": True,
            "user_id": str(user.id),
            "username": user.name,
            "token": KEY,
            "expires": expiry,
        }
    token_id = _make_token_id(call.world)
    return {
        "TYPE": "APIToken",
        "id": add_dashes(token_id),
        "abid": make_abid("apt", token_id),
        "created_by_id": str(user.id),
        "token": KEY,
        "created_at": call.world.anchor.isoformat(),
        "expires": expiry,
    }


def check_api_token(call: Call) -> Any:
    """Answer `POST /auth/check_api_token`: also confirms keys that every endpoint refuses."""
    user = _OWNERS.get(call.body.token)
    return {"success": user is not None, "user_id": str(user.id) if user else None}


def browser_session(call: Call) -> Any:
    """Answer `POST /auth/browser_session`: a session for a browser, its secret included."""
    expiry = min(get_expiry(call.world), call.world.now() + timedelta(days=14))
    cookie = {"name": COOKIE, "value": SESSION, "expires": expiry.timestamp(), "secure": False}
    host = call.request.headers.get("host", DEFAULT_HOST)
    return {"admin_url": f"http://{host}/admin/", "cookie": cookie}


def has_session(request: Request) -> bool:
    """Return whether the request comes from a browser that an administrator is signed in with."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return False
    return COOKIE in cookies and cookies[COOKIE].value == SESSION


def _make_token_id(world: World) -> str:
    return make_time_id(world.anchor, world.seed, 1, 82)


def _list_credentials(request: Request, world: World, *, in_query: bool) -> Iterator[Caller]:
    """Yield every way in which the request names somebody, in the order in which the server tries
    them; without a user where the credentials are wrong."""
    key = request.headers.get("x-archivebox-api-key", "")
    yield Caller(_OWNERS.get(key), "HeaderTokenAuth", key)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        key = token.strip()
        yield Caller(_OWNERS.get(key), "BearerTokenAuth", key)
    key = parse_qs(request.query).get("api_key", [""])[-1] if in_query else ""
    yield Caller(_OWNERS.get(key), "QueryParamTokenAuth", key)
    if world.dialect.accepts_basic and scheme.lower() == "basic":
        yield Caller(_sign_in_by_header(token), "UsernameAndPasswordAuth")


def _sign_in_by_header(token: str) -> User | None:
    try:
        name, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return _sign_in(name, password)


def _sign_in(name: str | None, password: str | None) -> User | None:
    # An empty password means that nobody can sign in as this user.
    if not password:
        return None
    return find_first(USERS, lambda user: (user.name, user.password) == (name, password))
