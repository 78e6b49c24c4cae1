"""Records as rows of a file: one column per selected field, with the unit in its name.

The types of the columns come from the API's schema, so that the same export has the same types
whatever its rows hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from server.archive.attributes import Schemas
from server.archive.records import (
    Entity,
    Field,
    Record,
    Selection,
    fields_of,
)
from server.exports.columns import Column, Kind
from server.insights.money import ASSUMED_CENTS, Money

Row = dict[str, Any]

_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    list: Kind.LIST,
}
# Other types of attributes are texts; of an address only the rows tell the parts.
_ATTRIBUTE_KINDS = {
    "BOOLEAN": Kind.BOOL,
    "NUMBER": Kind.FLOAT,
    "DATE": Kind.TEXT | Kind.MOMENT,
    "DATETIME": Kind.TEXT | Kind.MOMENT,
    "SHIPPING_ADDRESS": Kind.NOTHING,
}


@dataclass(frozen=True)
class Shape:
    """How records become rows.

    Args:
        flat: a list of records becomes one list for each of their fields, as a table needs it.
        money: converts earned media value.
        with_dollars: it has a column in dollars beside the API's number.
    """

    flat: bool = True
    money: Money = ASSUMED_CENTS
    with_dollars: bool = False

    @property
    def doubles_amounts(self) -> bool:
        """Whether an amount needs two columns."""
        return self.with_dollars and self.money.data_unit == "cents"


PLAIN = Shape()
_NESTED, _SPREADSHEETS = ("jsonl",), ("csv", "xlsx")


def choose_shape(file_format: str, money: Money) -> Shape:
    """Return how records become rows of a file: spreadsheets have amounts in dollars too."""
    # JSON Lines can hold records within records; the others have columns only.
    return Shape(file_format not in _NESTED, money, file_format in _SPREADSHEETS)


def list_columns(
    selection: Selection, record: type[Record], shape: Shape = PLAIN
) -> tuple[str, ...]:
    """Return the dotted columns of a selection, in its order."""
    return tuple(leaf.path for leaf in _leaves(selection, record, shape))


def list_units(selection: Selection, record: type[Record], shape: Shape = PLAIN) -> dict[str, str]:
    """Return the unit of each column that has one."""
    return {leaf.path: leaf.unit for leaf in _leaves(selection, record, shape) if leaf.unit}


def list_types(
    selection: Selection,
    record: type[Record],
    shape: Shape = PLAIN,
    attributes: Mapping[Entity, Schemas] | None = None,
) -> dict[str, Column]:
    """Return the columns by their paths, with the types that the schema gives them.

    Args:
        attributes: the custom attributes of each entity; each of them is a column.
    """
    columns: dict[str, Column] = {}
    for leaf in _leaves(selection, record, shape):
        entity = leaf.field.attributes_of
        if entity is None:
            columns[leaf.path] = leaf.make_column()
            continue
        for schema in (attributes or {}).get(entity, {}).values():
            column = _make_attribute_column(f"{leaf.path}.{schema.key}", schema.type)
            columns[column.name] = column
    return columns


def make_row(value: Row, record: type[Record], selection: Selection, shape: Shape = PLAIN) -> Row:
    """Return a record as a row, its fields in the order of the selection."""
    shaped: Row = {}
    for name, inner in selection.items():
        # `get`: a partial answer may lack a field, but every row needs all columns.
        field, item = fields_of(record)[name], value.get(name)
        if field.record is None:
            shaped |= _make_cells(name, field, item, shape)
        elif isinstance(item, list) and shape.flat:
            shaped[name] = _transpose(item, field.record, inner, shape)
        elif isinstance(item, list):
            shaped[name] = [_make_nested_row(entry, field.record, inner, shape) for entry in item]
        else:
            shaped[name] = _make_nested_row(item, field.record, inner, shape)
    return shaped


@dataclass(frozen=True)
class _Leaf:
    """A column: its path, its field, its unit, and whether its values are gathered in a list."""

    path: str
    field: Field
    unit: str
    is_listed: bool

    def make_column(self) -> Column:
        """Return the column with the type of its field."""
        kind, elements = _read_kinds(self.field.hint)
        # Dollars have cents, which the API's whole number has not.
        if self.unit.startswith("USD"):
            kind = Kind.FLOAT
        if self.field.moment:
            kind |= Kind.MOMENT
        if not self.is_listed:
            return Column(self.path, kind, elements)
        # A list inside a list is written as JSON.
        is_nested = kind == Kind.LIST
        return Column(self.path, Kind.LIST, Kind.NESTED if is_nested else kind)


def _leaves(
    selection: Selection,
    record: type[Record],
    shape: Shape,
    prefix: str = "",
    *,
    is_listed: bool = False,
) -> Iterator[_Leaf]:
    for name, inner in selection.items():
        field = fields_of(record)[name]
        if field.record is not None:
            is_list = is_listed or (shape.flat and _is_list(field.hint))
            yield from _leaves(inner, field.record, shape, f"{prefix}{name}.", is_listed=is_list)
            continue
        for column, unit in _name_columns(name, field, shape):
            yield _Leaf(prefix + column, field, unit, is_listed)


def _name_columns(name: str, field: Field, shape: Shape) -> list[tuple[str, str]]:
    """Return the names of a field's columns, each with its unit."""
    # A file leaves this server without the result that names its units, so its columns carry them.
    if field.unit != "cents":
        return [(name + field.unit.capitalize(), field.unit)]
    unit = shape.money.data_unit
    columns = [(name + unit.capitalize(), unit)]
    if shape.doubles_amounts:
        columns.append((f"{name}Usd", shape.money.dollars_unit))
    return columns


def _make_cells(name: str, field: Field, value: Any, shape: Shape) -> Row:
    # The API sends large whole numbers as text, and a column is of one type.
    if field.big and isinstance(value, str):
        value = int(value)
    columns = [column for column, _ in _name_columns(name, field, shape)]
    values = [value]
    if len(columns) > 1:
        values.append(shape.money.to_dollars(value))
    return dict(zip(columns, values, strict=True))


def _make_nested_row(
    value: Row | None, record: type[Record], selection: Selection, shape: Shape
) -> Row | None:
    # A missing record stays null: a row of empty fields would look like a record without values.
    return make_row(value, record, selection, shape) if value else None


def _transpose(items: list[Any], record: type[Record], selection: Selection, shape: Shape) -> Row:
    """Return lists of equal length, one per field; a list inside a list is flattened."""
    records: list[Any] = []
    for item in items:
        records += item if isinstance(item, list) else [item]
    lists: Row = {}
    for name, inner in selection.items():
        field = fields_of(record)[name]
        # One value for each record, null or not: otherwise the lists would no longer match by
        # place.
        values = [(value or {}).get(name) for value in records]
        if field.record is not None:
            lists[name] = _transpose(values, field.record, inner, shape)
            continue
        cells = [_make_cells(name, field, value, shape) for value in values]
        for column, _ in _name_columns(name, field, shape):
            lists[column] = [cell[column] for cell in cells]
    return lists


def _make_attribute_column(path: str, kind: str) -> Column:
    if kind.startswith("MULTIPLE_SELECT"):
        return Column(path, Kind.LIST, Kind.TEXT)
    base = _ATTRIBUTE_KINDS.get(kind.removesuffix("_LIST"), Kind.TEXT)
    return Column(path, Kind.LIST, base) if kind.endswith("_LIST") else Column(path, base)


def _is_list(hint: Any) -> bool:
    return _read_kinds(hint)[0] == Kind.LIST


def _read_kinds(hint: Any) -> tuple[Kind, Kind]:
    """Return what the values of an annotation are, and the elements of its lists.

    What the schema leaves open is nothing: the rows tell.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Annotated, Union, UnionType):
        return _read_kinds(arguments[0])
    if origin is list:
        return Kind.LIST, _read_kinds(arguments[0])[0]
    if origin is Literal:
        return Kind.TEXT, Kind.NOTHING
    return _KINDS.get(hint, Kind.NOTHING), Kind.NOTHING
