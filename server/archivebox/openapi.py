"""What the server at hand can do, read once from its own `/api/v1/openapi.json`: detected, never
guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from server.archivebox.failures import make_foreign_failure
from server.errors import Code, Failure
from server.http.shapes import Schema, Shapes

_PARAMETER = re.compile(r"\{[^}]*\}")
# Before 0.9 the API had a version number of its own.
_VERSIONS = {"1.0.0": "0.8.5"}


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as the server declares it: names of its query parameters and of its body's
    fields, and the schema of its JSON answer, empty where it has none."""

    parameters: frozenset[str]
    body: frozenset[str]
    answer: Schema = field(default_factory=dict, hash=False)


_NO_ENDPOINT = Endpoint(frozenset(), frozenset())


@dataclass(frozen=True)
class Description:
    """The server's own description; `version` is for people."""

    version: str
    endpoints: dict[str, Endpoint]
    shapes: Shapes = field(default_factory=lambda: Shapes({}), compare=False)

    @classmethod
    def parse(cls, openapi: Any) -> Description:
        """Return the description in the decoded `openapi.json`.

        Raises:
            Failure: `UNSUPPORTED` when it is not an ArchiveBox's.
        """
        try:
            endpoints = dict(_list_endpoints(openapi))
            version = str(openapi["info"]["version"])
        except (KeyError, TypeError, AttributeError):
            endpoints, version = {}, ""
        # Every version of ArchiveBox has this endpoint.
        if "GET /core/snapshots" not in endpoints:
            raise make_foreign_failure()
        schemas = openapi.get("components", {}).get("schemas", {})
        return cls(_VERSIONS.get(version, version), endpoints, Shapes(schemas))

    def has(self, operation: str) -> bool:
        """Return whether the server has the endpoint, whatever it calls its path parameters."""
        return normalize(operation) in self.endpoints

    def takes(self, operation: str, name: str) -> bool:
        """Return whether the endpoint reads that query parameter or body field; others it would
        silently ignore."""
        endpoint = self.endpoints.get(normalize(operation), _NO_ENDPOINT)
        return name in endpoint.parameters | endpoint.body

    def find_problem(self, method: str, path: str, answer: Any) -> str:
        """Return what an answer has that the description rules out, in a few words; nothing where
        it fits."""
        endpoint = self.endpoints.get(f"{method} {path}") or self._find_endpoint(method, path)
        return self.shapes.find_problem(answer, endpoint.answer)

    def _find_endpoint(self, method: str, path: str) -> Endpoint:
        steps = path.split("/")
        for name, endpoint in self.endpoints.items():
            verb, _, template = name.partition(" ")
            parts = template.split("/")
            if verb == method and len(parts) == len(steps) and _fits(parts, steps):
                return endpoint
        return _NO_ENDPOINT

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


def _fits(template: list[str], steps: list[str]) -> bool:
    pairs = zip(template, steps, strict=True)
    return all("{}" in part or part == step for part, step in pairs)


def normalize(operation: str) -> str:
    """Return the endpoint without the names of its path parameters, which differ between versions:
    `GET /core/any/{abid}` -> `GET /core/any/{}`."""
    return _PARAMETER.sub("{}", operation)


def _list_endpoints(openapi: Any) -> Iterable[tuple[str, Endpoint]]:
    schemas = openapi.get("components", {}).get("schemas", {})
    for path, methods in openapi["paths"].items():
        # Paths are declared with whatever stands in front of the API.
        short_path = path.partition("/api/v1")[2] or path
        for method, operation in methods.items():
            in_query = filter(_is_in_query, operation.get("parameters", ()))
            parameters = frozenset(map(itemgetter("name"), in_query))
            fields = frozenset(_list_fields(operation, schemas))
            name = normalize(f"{method.upper()} {short_path}")
            yield name, Endpoint(parameters, fields, _find_answer(operation))


def _find_answer(operation: Any) -> Schema:
    response = operation.get("responses", {}).get("200", {})
    schema: Schema = response.get("content", {}).get("application/json", {}).get("schema") or {}
    return schema


def _is_in_query(parameter: Any) -> bool:
    return bool(parameter["in"] == "query")


def _list_fields(operation: Any, schemas: Any) -> Iterable[str]:
    for content in (operation.get("requestBody") or {}).get("content", {}).values():
        schema = content.get("schema", {})
        # Forms declare their fields in place, JSON bodies by a reference.
        reference = str(schema.get("$ref", "")).rpartition("/")[2]
        yield from schemas.get(reference, schema).get("properties", {})
