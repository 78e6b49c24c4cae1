"""The one address of the protocol: sign-in, rights, the person's own server."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.team.identity import Refusal
from server.team.narrowing import HeaderError, Narrowing
from server.team.policy import Identity, Policy, Rights
from server.team.serving.answers import make_error, make_refusal
from server.team.serving.limits import SlowRequestError, TimedBody
from server.team.settings import TeamSettings
from server.team.tenant import Tenant, TooManyViewsError
from server.team.tenants import NoRoomError, Tenants
from server.text import clean_sentence

log = logging.getLogger("archive_mcp.team")

# Told of each refusal, and whom it was about as far as that is known.
OnRefusal = Callable[[Refusal], Awaitable[None]]


class Identify(Protocol):
    """Finds out who is calling."""

    async def identify(self, header: str | None, address: str = "") -> Identity:
        """Return who sends this header `Authorization` from this address.

        Raises:
            Refusal: nobody that this server knows.
        """


class McpEndpoint:
    """Answers the messages of the protocol, each for whoever sent it.

    Args:
        policy: returns the policy that holds now.
        toolsets: the toolsets that there are, presets included.
        on_refusal: called when somebody was not let in.
    """

    def __init__(
        self,
        settings: TeamSettings,
        sign_in: Identify,
        policy: Callable[[], Policy],
        tenants: Tenants,
        toolsets: frozenset[str],
        on_refusal: OnRefusal,
    ) -> None:
        self._settings = settings
        self._sign_in = sign_in
        self._policy = policy
        self._tenants = tenants
        self._toolsets = toolsets
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        refusal = await self._answer(scope, receive, send)
        if refusal is not None:
            await refusal(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """Answer a request, or return what is answered in its place."""
        # Nothing waits for a client here: there are no sessions and no streams to listen to.
        if scope["method"] != "POST":
            message = "Send messages by POST: this server keeps no sessions."
            return make_error(405, message, {"allow": "POST"})
        headers = Headers(scope=scope)
        try:
            identity, rights = await self._let_in(headers, _read_address(scope))
            narrowing = Narrowing.read(headers, self._toolsets)
        except Refusal as refusal:
            _log_refusal(refusal)
            await self._on_refusal(refusal)
            return make_refusal(refusal, self._settings)
        except HeaderError as error:
            return make_error(400, str(error))
        try:
            async with self._tenants.use(identity, rights) as tenant:
                body = TimedBody(receive, self._settings.limits.body_seconds)
                return await self._pass_on(tenant, narrowing, scope, body.receive, send)
        except SlowRequestError:
            words = "The request took too long to arrive."
            return make_error(408, words, {"connection": "close"})
        except NoRoomError:
            return make_error(503, "This server is busy. Try again.", {"retry-after": "5"})

    async def _let_in(self, headers: Headers, address: str) -> tuple[Identity, Rights]:
        identity = await self._sign_in.identify(headers.get("authorization"), address)
        rights = self._policy().find(identity)
        if rights is None:
            raise Refusal(
                "unknown",
                "You are signed in, but the policy of this server does not name you. Ask its "
                "administrators.",
                subject=identity.principal.id,
            )
        return identity, rights

    async def _pass_on(
        self, tenant: Tenant, narrowing: Narrowing, scope: Scope, receive: Receive, send: Send
    ) -> Response | None:
        if tenant.calls > self._settings.limits.requests_each:
            message = "You have too many requests under way. Wait for their answers."
            return make_error(429, message, {"retry-after": "2"})
        try:
            await tenant.handle(narrowing, scope, receive, send)
        except TooManyViewsError:
            return make_error(429, "Your clients narrow what they see in too many different ways.")
        return None


def _read_address(scope: Scope) -> str:
    """Return where a request comes from: behind a trusted proxy, what that says."""
    client = scope.get("client")
    return client[0] if client else ""


def _log_refusal(refusal: Refusal) -> None:
    who = f" of {refusal.subject}" if refusal.subject else ""
    log.warning("a sign-in%s was refused: %s", clean_sentence(who), clean_sentence(refusal.detail))
