"""Custom attributes: conditions that fit the workspace's schemas, and options of selects by name.

A condition on a key that does not exist matches nothing, without an error, and the API takes and
returns the ids of a select's options; only the attributes' schemas tell (Archive docs, custom
attributes). Schemas are read once for each workspace and entity, and only by a call that needs
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import anyio

from server.archive.client import Archive, Call
from server.archive.records import (
    Entity,
    Record,
    Selection,
    fields_of,
)
from server.archive.workspaces import ID
from server.errors import Code, Failure
from server.text import join_first
from server.tool.names import find_matches, normalise, suggest

OptionNames = dict[str, dict[str, dict[str, str]]]
"""Entity -> key of a select -> id of an option -> its name."""

_SCHEMAS = (
    "query CustomAttributeSchemas($entity: CustomAttributeSchemaEntity!) "
    "{ customAttributeSchemas(entity: $entity) { key name type options { id name } } }"
)
# A name that is not found makes the schemas be read again, unless they are younger than this.
_STALE_SECONDS = 30.0
# Hints are read by a model: all options of a long select would fill its context.
_MOST_OPTIONS = 20

_TEXTS = ("IS", "IS_NOT", "CONTAINS", "DOES_NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH")
_SETS = ("CONTAINS", "CONTAINS_ALL", "DOES_NOT_CONTAIN")
_ORDERS = (
    "EQUAL",
    "NOT_EQUAL",
    "LESS_THAN",
    "LESS_THAN_OR_EQUAL",
    "MORE_THAN",
    "MORE_THAN_OR_EQUAL",
    "BETWEEN",
)
_DATES = (*_ORDERS, "IS_RELATIVE_TO_TODAY")
_EMPTINESS = ("IS_EMPTY", "IS_NOT_EMPTY")
# Lists of numbers, dates and flags are left out: no document says which operators those take.
_OPERATORS: dict[str, tuple[str, ...]] = {
    "TEXT": _TEXTS,
    "EMAIL": _TEXTS,
    "PHONE": _TEXTS,
    "URL": _TEXTS,
    "TEXT_LIST": (*_TEXTS, "CONTAINS_ALL"),
    "SINGLE_SELECT_V2": ("IS", "IS_NOT"),
    "SINGLE_SELECT_V3": ("IS", "IS_NOT"),
    "MULTIPLE_SELECT": _SETS,
    "MULTIPLE_SELECT_V2": _SETS,
    "NUMBER": _ORDERS,
    "DATE": _DATES,
    "DATETIME": _DATES,
    "BOOLEAN": ("IS",),
}
"""Type of an attribute -> its operators beside those for emptiness (Archive docs, custom
attributes)."""
# Types whose values are written alike: a caller that mixes them up still means the attribute, and
# its own type is sent.
_FAMILIES = (
    {"TEXT", "TEXT_LIST", "EMAIL", "PHONE", "URL"},
    {"SINGLE_SELECT_V2", "SINGLE_SELECT_V3"},
    {"MULTIPLE_SELECT", "MULTIPLE_SELECT_V2"},
    {"DATE", "DATETIME"},
)


class Condition(Protocol):
    """A condition on a custom attribute; `type` and `value` are what gets translated.

    `type` is the attribute's type as the caller gave it.
    """

    type: Any
    value: Any

    @property
    def field(self) -> str:
        """The attribute's key."""

    @property
    def operator(self) -> str:
        """How the attribute's value is compared."""


@dataclass(frozen=True)
class Option:
    """An option of a select."""

    id: str
    name: str


@dataclass(frozen=True)
class Attribute:
    """The schema of a custom attribute."""

    key: str
    name: str
    type: str
    options: tuple[Option, ...]

    @property
    def condition_type(self) -> str:
        """The type that a condition on it names."""
        # Listed as TEXT_LIST, and filtered as TEXT (Archive docs, custom attributes).
        if (self.key, self.type) == ("emails", "TEXT_LIST"):
            return "TEXT"
        return self.type

    def convert_type(self, kind: str) -> str | None:
        """Return the type that is sent for a condition that names `kind`; None if that is wrong."""
        # Of lists other than `emails` no document says whether they are filtered as TEXT too.
        if self.condition_type == "TEXT_LIST" and kind == "TEXT":
            return kind
        if kind == self.condition_type:
            return kind
        alike = any({kind, self.condition_type} <= family for family in _FAMILIES)
        return self.condition_type if alike else None


Schemas = dict[str, Attribute]


@dataclass(frozen=True)
class _CachedSchemas:
    schemas: Schemas
    read_at: float


class Attributes:
    """The custom attributes of every workspace in use, read once per session."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = anyio.Lock()
        self._cache: dict[tuple[str, Entity], _CachedSchemas] = {}

    async def translate(
        self, conditions: Iterable[Condition], entity: Entity, workspace: str, deadline: float
    ) -> None:
        """Check conditions against the schemas, and put in the types and ids of options that
        Archive takes; send nothing where there is no condition.

        Raises:
            Failure: `INVALID_ARGUMENT` for a key, type, operator or option that does not exist,
                with those that do; `AMBIGUOUS` for a name that several options have.
        """
        requested = list(conditions)
        if not requested:
            return
        schemas = await self.schemas(entity, workspace, deadline)
        try:
            translated = _translate(requested, schemas, entity)
        except Failure:
            # Somebody may have added the attribute or option since the schemas were read.
            newer = await self.schemas(entity, workspace, deadline, again=True)
            # The same object means that they were recent: a second try would fail the same way.
            if newer is schemas:
                raise
            translated = _translate(requested, newer, entity)
        # Only after all were translated: a failure must leave every condition as it was.
        for condition, (kind, value) in zip(requested, translated, strict=True):
            condition.type = kind
            # Set only where it changed: a value that was left out is not to be sent as null.
            if value != condition.value:
                condition.value = value

    async def option_names(
        self, selection: Selection, record: type[Record], workspace: str, deadline: float
    ) -> OptionNames:
        """Return the names of the options that a selection may show."""
        names: OptionNames = {}
        for entity in _list_entities(selection, record):
            schemas = await self.schemas(entity, workspace, deadline)
            names[entity] = {
                schema.key: {option.id: option.name for option in schema.options}
                for schema in schemas.values()
                # Only selects hold ids; a text that looks like an id must stay as it is.
                if is_select(schema.type)
            }
        return names

    async def all_schemas(
        self, selection: Selection, record: type[Record], workspace: str, deadline: float
    ) -> dict[Entity, Schemas]:
        """Return the schemas of every entity whose custom attributes a selection shows."""
        return {
            entity: await self.schemas(entity, workspace, deadline)
            for entity in _list_entities(selection, record)
        }

    async def schemas(
        self, entity: Entity, workspace: str, deadline: float, *, again: bool = False
    ) -> Schemas:
        """Return the schemas by key; `again` reads them anew unless they are recent."""
        # The lock keeps parallel calls from reading the same schemas twice.
        async with self._lock:
            cached = self._cache.get((workspace, entity))
            if cached is None or (again and self._archive.now() - cached.read_at > _STALE_SECONDS):
                cached = _CachedSchemas(
                    await self._read(entity, workspace, deadline), self._archive.now()
                )
                self._cache[workspace, entity] = cached
            return cached.schemas

    async def _read(self, entity: Entity, workspace: str, deadline: float) -> Schemas:
        # 5 credits is the least that Archive counts for a request (Archive docs, rate limiting).
        call = Call("customAttributeSchemas", _SCHEMAS, {"entity": entity}, workspace, 5, deadline)
        answer = await self._archive.execute(call)
        try:
            records = [_read_attribute(record) for record in answer.data]
        except (KeyError, TypeError, AttributeError):
            raise Failure(
                Code.BAD_RESPONSE,
                "Archive sent a list of custom attributes that cannot be read.",
                "Try again later, or search without conditions.",
            ) from None
        return {attribute.key: attribute for attribute in records}


def is_select(kind: str) -> bool:
    """Whether attributes of this type hold options."""
    # Covers MULTIPLE_SELECT, its V2, and SINGLE_SELECT_V2 and V3 without a list to keep up to date.
    return "SELECT" in kind


def name_options(
    value: Any, record: type[Record], selection: Selection, names: OptionNames
) -> None:
    """Replace option ids by names in every selected `customAttributes`; ids without a name stay."""
    if isinstance(value, list):
        for item in value:
            name_options(item, record, selection, names)
    if not isinstance(value, dict):
        return
    fields = fields_of(record)
    for name, inner in selection.items():
        field, item = fields[name], value.get(name)
        if field.record is not None:
            name_options(item, field.record, inner, names)
        elif field.attributes_of and isinstance(item, dict):
            options = names.get(field.attributes_of, {})
            # Workspaces differ in their attributes, and a record need not have every key.
            for key in item.keys() & options.keys():
                item[key] = _name_values(item[key], options[key])


def _name_values(value: Any, options: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_name_values(item, options) for item in value]
    if not isinstance(value, str):
        return value
    # An option deleted since stays visible by its id, rather than vanish from the record.
    return options.get(value, value)


def _list_entities(selection: Selection, record: type[Record]) -> list[Entity]:
    """Return the entities whose custom attributes are selected, without duplicates."""
    # A dict and not a set: the order of the requests that follow must be the same each time.
    entities: dict[Entity, None] = {}
    fields = fields_of(record)
    for name, inner in selection.items():
        field = fields[name]
        if field.record is not None:
            entities |= dict.fromkeys(_list_entities(inner, field.record))
        if field.attributes_of is not None:
            entities[field.attributes_of] = None
    return list(entities)


def _read_attribute(row: dict[str, Any]) -> Attribute:
    # `options` is null in the schema and [] in the docs' examples for what is no select.
    options = tuple(
        Option(str(option["id"]), str(option["name"])) for option in row["options"] or ()
    )
    return Attribute(str(row["key"]), str(row["name"]), str(row["type"]), options)


def _translate(
    conditions: list[Condition], schemas: Schemas, entity: Entity
) -> list[tuple[str, Any]]:
    return [_translate_one(condition, schemas, entity) for condition in conditions]


def _translate_one(condition: Condition, schemas: Schemas, entity: Entity) -> tuple[str, Any]:
    """Return the type and the value to send."""
    attribute = schemas.get(condition.field)
    if attribute is None:
        _refuse_field(condition.field, schemas, entity)
    kind = attribute.convert_type(condition.type)
    if kind is None:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"`{attribute.key}` is of type {attribute.condition_type}, not {condition.type}.",
            f"Send the condition with type {attribute.condition_type}.",
        )
    _check_operator(condition.operator, attribute)
    if condition.value is None or not is_select(attribute.type):
        return kind, condition.value
    if isinstance(condition.value, list):
        return kind, [_option_id(entry, attribute) for entry in condition.value]
    return kind, _option_id(condition.value, attribute)


def _check_operator(operator: str, attribute: Attribute) -> None:
    operators = _OPERATORS.get(attribute.type)
    if operators is None or operator in (*operators, *_EMPTINESS):
        return
    raise Failure(
        Code.INVALID_ARGUMENT,
        f"`{attribute.key}` is of type {attribute.type}, which has no {operator}.",
        f"It takes {', '.join((*operators, *_EMPTINESS))}.",
    )


def _option_id(value: str, attribute: Attribute) -> str:
    ids = {option.id.lower() for option in attribute.options}
    # An id of another attribute would match nothing, without an error.
    if ID.match(value) and value.lower() in ids:
        return value
    matches = find_matches(
        value, attribute.options, name=lambda option: option.name, identity=lambda option: option.id
    )
    if len(matches) == 1:
        return matches[0].id
    # A guess would filter by the wrong option without anybody noticing.
    if matches:
        raise Failure(
            Code.AMBIGUOUS,
            f"{len(matches)} options of `{attribute.key}` are called {value!r}.",
            "Repeat the call with the id of the one that is meant.",
            candidates=[{"id": option.id, "name": option.name} for option in matches],
        )
    names = [option.name for option in attribute.options]
    raise Failure(
        Code.INVALID_ARGUMENT,
        f"`{attribute.key}` has no option {value!r}.{suggest(value, names)}",
        f"Its options: {_list_some(names)}.",
    )


def _refuse_field(key: str, schemas: Schemas, entity: Entity) -> NoReturn:
    # People know the name that Archive's screens show; the API filters by the key.
    keys = {normalise(schema.name): schema.key for schema in reversed(schemas.values())}
    match = keys.get(normalise(key))
    guess = f" Did you mean `{match}`?" if match else suggest(key, schemas)
    # With the types, so that the next call is right in both.
    existing = [f"{schema.key} ({schema.condition_type})" for schema in schemas.values()]
    raise Failure(
        Code.INVALID_ARGUMENT,
        f"There is no custom attribute {key!r} of {entity.lower()}s.{guess}",
        f"Attributes here: {_list_some(existing)}.",
    )


def _list_some(names: list[str]) -> str:
    where = " ({customAttributeSchemas} lists them)" if len(names) > _MOST_OPTIONS else ""
    return join_first(names, _MOST_OPTIONS) + where or "none"
