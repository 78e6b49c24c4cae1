"""The figures of one process, in Prometheus' form."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST
# Seconds: the first are calls without a request, the last are what a caller waits at most.
_CALL_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45)


class Metrics:
    """Counts what one process does.

    Labels come from this program alone, never from a caller: each new label is a row for ever.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "archive_mcp_calls",
            "Tool calls by outcome: ok, input_required, or the code of an error.",
            ("tool", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "archive_mcp_call_seconds",
            "Seconds of a tool call, waits included.",
            ("tool",),
            buckets=_CALL_BUCKETS,
            registry=self.registry,
        )
        self._waits = Histogram(
            "archive_mcp_pace_wait_seconds",
            "Seconds that a request waited for its turn.",
            ("api", "lane"),
            buckets=_CALL_BUCKETS,
            registry=self.registry,
        )
        self._requests = Counter(
            "archive_mcp_requests",
            "Requests to an API by HTTP status; 0 where no answer came.",
            ("api", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "archive_mcp_request_seconds",
            "Seconds from a request's turn to its answer.",
            ("api",),
            buckets=_CALL_BUCKETS,
            registry=self.registry,
        )
        self._credits = Gauge(
            "archive_mcp_rate_credits",
            "Rate credits that a workspace has left, by a digest of the workspace.",
            ("workspace",),
            registry=self.registry,
        )
        self._jobs = Gauge(
            "archive_mcp_jobs",
            "Jobs of the last thirty days by state.",
            ("state",),
            registry=self.registry,
        )

    def count_call(self, tool: str, outcome: str, seconds: float) -> None:
        """Count a call that ended."""
        self._calls.labels(tool, outcome).inc()
        self._seconds.labels(tool).observe(seconds)

    def count_wait(self, api: str, lane: str, seconds: float) -> None:
        """Count a wait for a turn."""
        self._waits.labels(api, lane).observe(seconds)

    def count_request(self, api: str, status: int, seconds: float) -> None:
        """Count a request to an API."""
        self._requests.labels(api, str(status)).inc()
        self._request_seconds.labels(api).observe(seconds)

    def set_credits(self, workspace: str, credits: float) -> None:
        """Set what a workspace has left."""
        self._credits.labels(workspace).set(credits)

    def set_jobs(self, counts: Mapping[str, int]) -> None:
        """Set the numbers of jobs by state; a state that is missing has none."""
        self._jobs.clear()
        for state, count in counts.items():
            self._jobs.labels(state).set(count)

    def render(self) -> bytes:
        """Return all figures as `CONTENT_TYPE`."""
        return generate_latest(self.registry)
