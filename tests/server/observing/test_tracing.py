"""OpenTelemetry starts where its standard variables say so, and a real server exports."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from server.observing.logs import JsonFormatter
from server.observing.tracing import is_traced
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    ("environment", "traced"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_decide(environment: dict[str, str], traced: bool) -> None:
    assert is_traced(environment) is traced


@contextmanager
def receiving() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A receiver of traces on loopback: its address, and what it got."""
    received: list[ExportTraceServiceRequest] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = ExportTraceServiceRequest()
            request.ParseFromString(body)
            received.append(request)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join(10)


MESSAGES = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "archive_get_workspaces", "arguments": {}},
    },
]


def test_a_real_server_over_stdio_exports_its_spans(tmp_path: object) -> None:
    with receiving() as (address, received):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_SERVICE_NAME": "ours",
            "NO_PROXY": "*",
        }
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "archive_mcp.py"), "--sandbox"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for message in MESSAGES:
            process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        # The answer to the call: only then is the end of input no cancellation.
        while json.loads(process.stdout.readline()).get("id") != 2:
            pass
        process.stdin.close()
        assert process.wait(30) == 0
        process.stdout.close()
    resources = [resource for request in received for resource in request.resource_spans]
    names = {span.name for item in resources for scope in item.scope_spans for span in scope.spans}
    assert {"tools/call archive_get_workspaces", "wait for the pace", "workspaces"} <= names
    services = {
        attribute.value.string_value
        for item in resources
        for attribute in item.resource.attributes
        if attribute.key == "service.name"
    }
    assert services == {"ours"}


def test_a_log_line_is_one_object() -> None:
    record = logging.LogRecord("a", logging.ERROR, "x.py", 1, "first\nsecond %s", ("x",), None)
    content = json.loads(JsonFormatter().format(record))
    assert content["message"] == "first second x"
    assert content["level"] == "ERROR"
    assert "request" not in content
