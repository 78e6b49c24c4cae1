"""Parquet, through the optional library pyarrow, which is imported when the first file is
written."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from server.errors import Code, Failure
from server.exports.columns import (
    Column,
    Kind,
    Row,
    flatten,
    plain,
)

_GROUP_BYTES = 2 * 1024 * 1024
_NUMBER = Kind.INT | Kind.FLOAT
Convert = Callable[[Any], Any] | None


def check_available() -> None:
    """Check that Parquet files can be written, without importing anything.

    Raises:
        Failure: `UNSUPPORTED` with what to install.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise Failure(
            Code.UNSUPPORTED,
            "Parquet files need the library pyarrow, which is not installed.",
            'Install the server as "archive-mcp[parquet]" and start it again, or export as csv or jsonl.',
        )


class ParquetFile:
    """A Parquet file being written. Rows are held in columns, which is compact, until they fill a
    row group."""

    def __init__(self, file: BinaryIO, columns: list[Column]) -> None:
        check_available()
        # By name: type checkers need neither the library nor its stubs.
        self._arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._columns = [(each.name, *self._layout(each)) for each in columns]
        self._schema: Any = self._arrow.schema([(name, kind) for name, kind, _ in self._columns])
        self._writer: Any = parquet.ParquetWriter(file, self._schema, compression="snappy")
        self._held: list[Any] = []
        self._held_bytes = 0

    def add(self, records: Iterable[Row]) -> None:
        """Write records, as soon as they make a row group."""
        flat = [flatten(each) for each in records]
        arrays = [self._array(flat, *column) for column in self._columns]
        table = self._arrow.Table.from_arrays(arrays, schema=self._schema)
        self._held.append(table)
        self._held_bytes += table.nbytes
        if self._held_bytes >= _GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write what is still held, and the footer; the file itself stays open."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._held:
            self._writer.write_table(self._arrow.concat_tables(self._held))
        self._held, self._held_bytes = [], 0

    def _array(self, flat: list[Row], name: str, kind: Any, convert: Convert) -> Any:
        values = [each.get(name) for each in flat]
        if convert is not None:
            values = [None if each is None else convert(each) for each in values]
        return self._arrow.array(values, type=kind)

    def _layout(self, column: Column) -> tuple[Any, Convert]:
        """The type that holds every value of the column; what has no common type becomes text."""
        if column.kinds != Kind.LIST or column.elements & Kind.NESTED:
            return self._scalar(column.kinds)
        kind, convert = self._scalar(column.elements)
        if convert is None:
            return self._arrow.list_(kind), None
        each_converted = convert
        return self._arrow.list_(kind), lambda values: [
            None if each is None else each_converted(each) for each in values
        ]

    def _scalar(self, kinds: Kind) -> tuple[Any, Convert]:
        if kinds == Kind.BOOL:
            return self._arrow.bool_(), None
        if kinds == Kind.INT:
            return self._arrow.int64(), None
        if kinds and not kinds & ~_NUMBER:
            return self._arrow.float64(), float
        return self._arrow.string(), None if kinds in (Kind.NOTHING, Kind.TEXT) else plain
