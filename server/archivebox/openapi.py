"""What the server at hand can do, read once from its own `/api/v1/openapi.json`: detected, never
guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from server.archivebox.failures import foreign
from server.errors import Code, Failure

_PARAMETER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as the server declares it: names of its query parameters and of its body's
    fields."""

    parameters: frozenset[str]
    body: frozenset[str]


@dataclass(frozen=True)
class Description:
    """The server's own description; `version` is for people."""

    version: str
    endpoints: dict[str, Endpoint]

    @classmethod
    def read(cls, openapi: Any) -> Description:
        """From the parsed `openapi.json`.

        Raises:
            Failure: `UNSUPPORTED` when it is not an ArchiveBox's.
        """
        try:
            endpoints = dict(_endpoints(openapi))
            declared = str(openapi["info"]["version"])
        except (KeyError, TypeError, AttributeError):
            endpoints, declared = {}, ""
        if "GET /core/snapshots" not in endpoints:
            raise foreign()
        # Before 0.9 the API had a version number of its own.
        return cls("0.8.5" if declared == "1.0.0" else declared, endpoints)

    def has(self, operation: str) -> bool:
        """Whether the server has the endpoint, whatever it calls its path parameters."""
        return normalised(operation) in self.endpoints

    def takes(self, operation: str, name: str) -> bool:
        """Whether the endpoint reads that query parameter or body field; others it would silently
        ignore."""
        endpoint = self.endpoints.get(normalised(operation))
        return endpoint is not None and (name in endpoint.parameters or name in endpoint.body)

    def require(self, operation: str, since: str, instead: str) -> None:
        """Raise `UNSUPPORTED` for an endpoint that the server lacks, with the versions that have
        it."""
        if not self.has(operation):
            raise Failure(
                Code.UNSUPPORTED,
                f"This ArchiveBox ({self.version}) has no {operation}; {since} has.",
                instead or "The user can update ArchiveBox.",
                version=self.version,
            )


def normalised(operation: str) -> str:
    """`GET /core/any/{abid}` -> `GET /core/any/{}`."""
    return _PARAMETER.sub("{}", operation)


def _endpoints(openapi: Any) -> Iterable[tuple[str, Endpoint]]:
    schemas = openapi.get("components", {}).get("schemas", {})
    for path, methods in openapi["paths"].items():
        short = path.partition("/api/v1")[2] or path
        for method, operation in methods.items():
            names = frozenset(
                each["name"] for each in operation.get("parameters", []) if each["in"] == "query"
            )
            yield (
                normalised(f"{method.upper()} {short}"),
                Endpoint(names, frozenset(_body(operation, schemas))),
            )


def _body(operation: Any, schemas: Any) -> Iterable[str]:
    for content in (operation.get("requestBody") or {}).get("content", {}).values():
        schema = content.get("schema", {})
        named = schemas.get(str(schema.get("$ref", "")).rpartition("/")[2], schema)
        yield from named.get("properties", {})
