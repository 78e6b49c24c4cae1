"""The server's own description of its API: its endpoints, and the types that their arguments are
validated with.

The sandbox serves what the release's `openapi.json` declares and nothing else. Arguments are
validated with pydantic, as on the real server, so that wrong ones are refused in its words; what is
not declared is ignored, as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
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
_ESCAPED_PARAMETER = re.compile(r"\\\{(\w+)\\\}")
_SCALARS: dict[str, Any] = {
    "integer": int,
    "number": float,
    "boolean": bool,
    "string": str,
    "object": dict[str, Any],
}
# The server says where a mistake is by the name of the function's argument, which differs.
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
    declaration: Mapping[str, Any]
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
    def is_protected(self) -> bool:
        """Whether it requires a key."""
        return bool(self.declaration.get("security"))

    # The models are made on first use: those of all endpoints at once take a noticeable time.

    @cached_property
    def _query_model(self) -> type[BaseModel]:
        return create_model("Query", **self._list_parameters("query"))

    @cached_property
    def _path_model(self) -> type[BaseModel]:
        return create_model("Path", **self._list_parameters("path"))

    @cached_property
    def _body_model(self) -> type[BaseModel] | None:
        content = (self.declaration.get("requestBody") or {}).get("content", {})
        # A form is read by the endpoint itself.
        if "application/json" not in content:
            return None
        model: type[BaseModel] = _make_type(content["application/json"]["schema"], self.schemas)
        return model

    def parse_query(self, text: str) -> dict[str, Any]:
        """Return the declared query parameters; of a repeated one the last counts."""
        values = dict(parse_qsl(text, keep_blank_values=True))
        return _validate(self._query_model, values, ("query",)).__dict__

    def parse_path(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Return the path's parameters."""
        return _validate(self._path_model, values, ("path",)).__dict__

    def parse_body(self, content: bytes) -> BaseModel | None:
        """Return the JSON body; None for an endpoint without one."""
        if self._body_model is None:
            return None
        default = "args" if self.path.startswith("/cli/") else "data"
        name = _BODY_NAMES.get(self.path, default)
        if not content:
            raise Detail(422, [{"type": "missing", "loc": ["body", name], "msg": "Field required"}])
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise Detail(400, "Cannot parse request body") from None
        return _validate(self._body_model, value, ("body", name))

    def _list_parameters(self, place: str) -> dict[str, Any]:
        """Return type and default of the parameters in the path or in the query."""
        parameters: dict[str, Any] = {}
        for parameter in self.declaration.get("parameters", []):
            if parameter["in"] == place:
                schema = parameter["schema"]
                default = ... if parameter.get("required") else schema.get("default")
                parameters[parameter["name"]] = (_make_type(schema, self.schemas), default)
        return parameters


@dataclass(frozen=True)
class Description:
    """What one release declares."""

    document: Mapping[str, Any]

    @cached_property
    def endpoints(self) -> list[Endpoint]:
        """Every endpoint, in the order of the document, which is the order in which the server
        tries them."""
        schemas = self.document["components"]["schemas"]
        endpoints: list[Endpoint] = []
        for path, methods in self.document["paths"].items():
            for method, declaration in methods.items():
                name = f"{method.upper()} {path.removeprefix(API)}"
                endpoints.append(Endpoint(name, _make_pattern(path), declaration, schemas))
        return endpoints

    def match(self, path: str) -> list[tuple[Endpoint, dict[str, str]]]:
        """Return the endpoints of a path, with the values of the path's parameters; none if there
        is no such path."""
        matches: list[tuple[Endpoint, dict[str, str]]] = []
        for endpoint in self.endpoints:
            if match := endpoint.pattern.fullmatch(path):
                # `/machine/current` also fits `/machine/{machine_id}`: the first path wins.
                if matches and endpoint.path != matches[0][0].path:
                    break
                matches.append((endpoint, match.groupdict()))
        return matches


@cache
def load_description(version: str) -> Description:
    """Return the description of a release."""
    file = files(__package__).joinpath("openapi", f"{version}.json")
    return Description(json.loads(file.read_text(encoding="utf-8")))


def _make_pattern(path: str) -> re.Pattern[str]:
    # Escaping puts a backslash before the braces of a parameter, too.
    return re.compile(_ESCAPED_PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(path)))


def _validate(model: type[BaseModel], value: Any, place: tuple[str, ...]) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        # As django-ninja, which the real server uses, without the address and the input.
        mistakes = json.loads(error.json(include_url=False, include_input=False))
        details = [{**mistake, "loc": [*place, *mistake["loc"]]} for mistake in mistakes]
        raise Detail(422, details) from None


def _make_type(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return the Python type for a JSON schema of the document."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _make_object_type(name, schemas[name], schemas)
    if "anyOf" in schema:
        types = tuple(_make_type(option, schemas) for option in schema["anyOf"])
        return Union[types]  # noqa: UP007 - built at run time
    if "allOf" in schema:
        return _make_type(schema["allOf"][0], schemas)
    if "enum" in schema:
        return _make_enum(str(schema.get("title", "Choice")), schema["enum"])
    if schema.get("format") == "date-time":
        return datetime
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return list[_make_type(items, schemas)]  # type: ignore[misc]  # built at run time
    if schema.get("type") == "null":
        return None
    return _SCALARS.get(schema.get("type", ""), Any)


def _make_object_type(name: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return _make_enum(name, schema["enum"])
    required = schema.get("required", [])
    fields: dict[str, Any] = {}
    for key, property_schema in schema.get("properties", {}).items():
        kind = _make_type(property_schema, schemas)
        if key in required:
            fields[key] = (kind, ...)
        elif "default" in property_schema:
            fields[key] = (kind, property_schema["default"])
        # The document does not tell the default of an object: the real server makes an empty one.
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            fields[key] = (kind, Field(default_factory=kind))
        elif property_schema.get("type") == "object":
            fields[key] = (kind, Field(default_factory=dict))
        else:
            fields[key] = (Optional[kind], None)  # noqa: UP045 - built at run time
    return create_model(name, **fields)


def _make_enum(name: str, values: list[str]) -> Any:
    members = {f"value_{index}": value for index, value in enumerate(values)}
    return Enum(name, members, type=str)
