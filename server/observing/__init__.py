"""What operators see of the calls: spans of OpenTelemetry, figures of Prometheus, and log lines.

    telemetry   both together; without settings nothing is measured
    tracing     starts OpenTelemetry where its standard variables name a receiver
    metrics     the figures of one process
    calls       a middleware around each call
    sends       a limiter that measures the waits and the sends
    logs        log lines as JSON, with the id of the HTTP request

Attributes and labels hold names, ids and codes: no content and no secret.
"""

from server.observing.telemetry import Telemetry

__all__ = ["Telemetry"]
