"""The server's own description of its API: its routes, and the types that its arguments are read
with.

The sandbox serves what the release's `openapi.json` declares and nothing else. Arguments are read
with pydantic, as the real server does, so that wrong ones are refused in its words; what is not
declared is ignored, as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Optional, Union
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field, ValidationError, create_model

from server.sandbox.archivebox.answers import Detail

API = "/api/v1"
_PARAMETER = re.compile(r"\{(\w+)\}")
_SCALARS: dict[str, Any] = {
    "integer": int,
    "number": float,
    "boolean": bool,
    "string": str,
    "object": dict[str, Any],
}
# The name of the body's argument is part of where the server says a mistake is.
_BODY_NAMES = {
    "/auth/get_api_token": "auth_data",
    "/auth/check_api_token": "token_data",
    "/personas/sync": "payload",
}


@dataclass(frozen=True)
class Endpoint:
    """One method of one path; `name` is like `GET /core/tag/{tag_id}`."""

    name: str
    pattern: re.Pattern[str]
    declared: Mapping[str, Any]
    schemas: Mapping[str, Any]

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.name.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path below the API, with its parameters in braces."""
        return self.name.partition(" ")[2]

    @property
    def protected(self) -> bool:
        """Whether it wants a key."""
        return bool(self.declared.get("security"))

    @cached_property
    def _query(self) -> type[BaseModel]:
        return self._model("Query", self._parameters("query"))

    @cached_property
    def _inside(self) -> type[BaseModel]:
        return self._model("Path", self._parameters("path"))

    @cached_property
    def _body(self) -> type[BaseModel] | None:
        content = (self.declared.get("requestBody") or {}).get("content", {})
        if "application/json" not in content:
            return None
        found: type[BaseModel] = _type(content["application/json"]["schema"], self.schemas)
        return found

    def query(self, text: str) -> dict[str, Any]:
        """The declared query parameters, read; of a repeated one the last counts."""
        given = dict(parse_qsl(text, keep_blank_values=True))
        return _read(self._query, given, ("query",)).__dict__

    def inside(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The path's parameters, read."""
        return _read(self._inside, given, ("path",)).__dict__

    def body(self, content: bytes) -> BaseModel | None:
        """The JSON body, read; None for an endpoint without one."""
        if self._body is None:
            return None
        name = _BODY_NAMES.get(self.path, "args" if self.path.startswith("/cli/") else "data")
        if not content:
            raise Detail(422, [{"type": "missing", "loc": ["body", name], "msg": "Field required"}])
        try:
            given = json.loads(content)
        except (ValueError, RecursionError):
            raise Detail(400, "Cannot parse request body") from None
        return _read(self._body, given, ("body", name))

    def _parameters(self, where: str) -> Iterator[tuple[str, Any, Any]]:
        for each in self.declared.get("parameters", []):
            if each["in"] == where:
                default = ... if each.get("required") else each["schema"].get("default")
                yield each["name"], _type(each["schema"], self.schemas), default

    def _model(self, name: str, fields: Iterator[tuple[str, Any, Any]]) -> type[BaseModel]:
        given: dict[str, Any] = {name: (kind, default) for name, kind, default in fields}
        return create_model(name, **given)


@dataclass(frozen=True)
class Description:
    """What one release declares."""

    document: Mapping[str, Any]

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        """Every endpoint, in the order of the document, which is the order in which the server
        tries them."""
        schemas = self.document["components"]["schemas"]
        return [
            Endpoint(
                f"{method.upper()} {path.removeprefix(API)}", _pattern(path), declared, schemas
            )
            for path, methods in self.document["paths"].items()
            for method, declared in methods.items()
        ]

    def at(self, path: str) -> list[tuple[Endpoint, dict[str, str]]]:
        """The endpoints of a path, with the values of the path's parameters; none if there is no
        such path."""
        found: list[tuple[Endpoint, dict[str, str]]] = []
        for endpoint in self.endpoints:
            if match := endpoint.pattern.fullmatch(path):
                if found and endpoint.path != found[0][0].path:
                    break
                found.append((endpoint, match.groupdict()))
        return found


@cache
def description_of(version: str) -> Description:
    """The description of a release."""
    text = files(__package__).joinpath("openapi", f"{version}.json").read_text(encoding="utf-8")
    return Description(json.loads(text))


def _pattern(path: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(path)
    text = "".join(
        f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
    return re.compile(text)


def _read(model: type[BaseModel], given: Any, where: tuple[str, ...]) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = [
            {**each, "loc": [*where, *each["loc"]]}
            for each in json.loads(error.json(include_url=False, include_input=False))
        ]
        raise Detail(422, found) from None


def _type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The Python type for a JSON schema of the document."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _named(name, schemas[name], schemas)
    if "anyOf" in schema:
        return Union[tuple(_type(each, schemas) for each in schema["anyOf"])]  # noqa: UP007 - built at run time
    if "allOf" in schema:
        return _type(schema["allOf"][0], schemas)
    if "enum" in schema:
        return _choice(str(schema.get("title", "Choice")), schema["enum"])
    if schema.get("format") == "date-time":
        return datetime
    if schema.get("type") == "array":
        return list[_type(schema.get("items", {}), schemas)]  # type: ignore[misc]  # built at run time
    if schema.get("type") == "null":
        return None
    return _SCALARS.get(schema.get("type", ""), Any)


def _named(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return _choice(name, schema["enum"])
    required = schema.get("required", [])
    fields: dict[str, Any] = {}
    for key, inner in schema.get("properties", {}).items():
        kind = _type(inner, schemas)
        if key in required:
            fields[key] = (kind, ...)
        elif "default" in inner:
            fields[key] = (kind, inner["default"])
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            fields[key] = (kind, Field(default_factory=kind))
        elif inner.get("type") == "object":
            fields[key] = (kind, Field(default_factory=dict))
        else:
            fields[key] = (Optional[kind], None)  # noqa: UP045 - built at run time
    return create_model(name, **fields)


def _choice(name: str, values: list[str]) -> Any:
    return Enum(name, {f"value_{index}": value for index, value in enumerate(values)}, type=str)
