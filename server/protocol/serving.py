"""Serves one client: the services, the handlers and the wire, put together.

Importing this module imports the SDK, which takes longer than anything else of a start:
`server.main` does it beside the first answers.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import anyio

from server.dispatch import Dispatcher
from server.protocol.handlers import build_server
from server.protocol.listing import Listing
from server.protocol.opening import Opening
from server.protocol.stdio import serve
from server.recovery import Recovery
from server.services import Services
from server.settings import Settings
from server.tool.catalog import Catalog

if TYPE_CHECKING:
    from server.observing import Telemetry


def serve_client(
    settings: Settings,
    catalog: Catalog,
    listing: Listing,
    prompts: Any,
    opening: Opening | None,
) -> None:
    """Serve over stdio until the client leaves.

    Args:
        prompts: the package with the texts.
        opening: the connection, where it has begun already.
    """

    async def run() -> None:
        async with Services(settings, telemetry=telemetry) as services:
            dispatcher = Dispatcher(catalog, services, settings.timezone)
            async with anyio.create_task_group() as group:
                # The jobs of a sandbox end with its process: there is nothing to resume.
                if not settings.sandbox:
                    group.start_soon(Recovery(catalog, services).watch, settings.state_dir)
                texts = (prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
                await serve(build_server(catalog, dispatcher, *texts, listing), opening)
                # The client is gone: the watch over jobs would never end by itself.
                group.cancel_scope.cancel()

    telemetry = _open_telemetry()
    # What is imported stays: neither a collection nor the exit needs to walk it again.
    gc.freeze()
    gc.enable()
    try:
        anyio.run(run)
    finally:
        if telemetry is not None:
            telemetry.end()


def _open_telemetry() -> Telemetry | None:
    # The exact rules are in the module, which is not imported where nobody asks.
    if not any(name.startswith("OTEL_EXPORTER_OTLP") for name in os.environ):
        return None
    from server.observing.tracing import start_tracing

    return start_tracing(os.environ)
