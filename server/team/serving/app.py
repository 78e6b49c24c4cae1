"""The app: one address for the protocol, where to sign in, and whether all is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from server.protocol.http import NameCheck
from server.team.narrowing import READ_ONLY_HEADER, TOOLSETS_HEADER
from server.team.observing import RequestIds
from server.team.serving.addresses import list_names, needs_proxy
from server.team.serving.answers import METADATA_PATH, make_metadata
from server.team.serving.limits import Gate
from server.team.settings import PATH, TeamSettings

# Returns what is not ready, in words; empty where all is.
IsReady = Callable[[], Awaitable[str]]
_PROBES = ("/healthz", "/readyz")
_BROWSER_HEADERS = (
    "authorization",
    "content-type",
    "accept",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    READ_ONLY_HEADER,
    TOOLSETS_HEADER,
)


class App:
    """Answers every request to the server.

    Args:
        endpoint: answers the protocol.
        lifespan: what is open while the app runs.
        is_ready: tells what the probe of readiness says.
        routes: further addresses.
    """

    def __init__(
        self,
        settings: TeamSettings,
        endpoint: ASGIApp,
        lifespan: Callable[[], AbstractAsyncContextManager[None]],
        is_ready: IsReady,
        routes: list[BaseRoute] | None = None,
    ) -> None:
        self._probes = _make_probes(is_ready)
        metadata = make_metadata(settings)

        async def show_metadata(request: Request) -> Response:
            return JSONResponse(metadata, headers={"access-control-allow-origin": "*"})

        @asynccontextmanager
        async def run(app: Starlette) -> AsyncIterator[None]:
            async with lifespan():
                yield

        # Clients ask for the path of the resource behind it first, and some without.
        places = (f"{METADATA_PATH}{PATH}", METADATA_PATH) if settings.oidc else ()
        starlette = Starlette(
            routes=[
                Route(PATH, endpoint),
                *(Route(place, show_metadata) for place in places),
                *(routes or []),
            ],
            lifespan=run,
        )
        app: ASGIApp = starlette
        if settings.allowed_origins:
            app = CORSMiddleware(
                app,
                allow_origins=settings.allowed_origins,
                allow_methods=["POST"],
                allow_headers=_BROWSER_HEADERS,
                expose_headers=["www-authenticate"],
            )
        names = NameCheck(*list_names(settings))
        gate = Gate(app, settings.limits, names, partial(needs_proxy, settings))
        self._app = RequestIds(gate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        # Whoever watches the machine asks by its address, and learns nothing but yes or no.
        if scope["type"] == "http" and scope["path"] in _PROBES:
            await self._probes(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _make_probes(is_ready: IsReady) -> ASGIApp:
    async def show_health(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def show_readiness(request: Request) -> Response:
        problem = await is_ready()
        return PlainTextResponse(f"{problem or 'ok'}\n", status_code=503 if problem else 200)

    return Starlette(routes=[Route("/healthz", show_health), Route("/readyz", show_readiness)])
