"""Starts OpenTelemetry where its standard variables name a receiver of traces."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial

from server import __version__
from server.observing.telemetry import Telemetry
from server.settings.extras import describe_installation, is_installed

log = logging.getLogger("archive_mcp")

_RECEIVERS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_SERVICE = "archive-mcp"
# A host kills a server that takes long to end, and a receiver may be gone.
_LAST_MILLISECONDS = 1_000


def is_traced(environment: Mapping[str, str]) -> bool:
    """Return whether the variables ask for traces; nothing is imported for that."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none":
        return False
    return any(environment.get(name) for name in _RECEIVERS)


def start_tracing(environment: Mapping[str, str]) -> Telemetry | None:
    """Start the export of spans; None where it is not asked for, or its library is missing.

    The library reads the standard variables itself: receiver, headers, sampling, resource.
    """
    if not is_traced(environment):
        return None
    if not is_installed("otel"):
        log.warning(
            "OpenTelemetry is asked for but not installed. %s", describe_installation("otel")
        )
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # What the variables say of the service ranks above this.
    named = Resource({SERVICE_NAME: environment.get("OTEL_SERVICE_NAME") or _SERVICE})
    resource = Resource.create({SERVICE_VERSION: __version__}).merge(named)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Telemetry(
        provider.get_tracer(_SERVICE, __version__),
        end=partial(provider.force_flush, _LAST_MILLISECONDS),
    )
