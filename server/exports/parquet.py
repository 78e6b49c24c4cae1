"""Parquet, through the optional library pyarrow, imported when the first file is written."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from server.exports.columns import Column, Kind, Row, flatten, to_text
from server.settings.extras import is_installed, make_missing_library

_GROUP_BYTES = 2 * 1024 * 1024
_NUMBER = Kind.INT | Kind.FLOAT
Convert = Callable[[Any], Any] | None


def check_available() -> None:
    """Check that Parquet files can be written, without importing anything.

    Raises:
        Failure: `UNSUPPORTED` with what to install.
    """
    if not is_installed("parquet"):
        raise make_missing_library("parquet", "Parquet files", "Or export as csv or jsonl.")


class ParquetFile:
    """A Parquet file that is being written.

    Rows are buffered as columns, which is compact, until they fill a row group.
    """

    def __init__(self, file: BinaryIO, columns: list[Column]) -> None:
        check_available()
        # By name: type checkers need neither the library nor its stubs.
        self._arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        self._columns = [(column.name, *self._choose_type(column)) for column in columns]
        self._schema: Any = self._arrow.schema([(name, kind) for name, kind, _ in self._columns])
        self._writer: Any = parquet.ParquetWriter(file, self._schema, compression="snappy")
        self._buffer: list[Any] = []
        self._buffer_bytes = 0

    def add(self, records: Iterable[Row]) -> None:
        """Buffer records, and write them once they fill a row group."""
        flat = [flatten(record) for record in records]
        arrays = [self._make_array(flat, *column) for column in self._columns]
        table = self._arrow.Table.from_arrays(arrays, schema=self._schema)
        self._buffer.append(table)
        self._buffer_bytes += table.nbytes
        if self._buffer_bytes >= _GROUP_BYTES:
            self._write_group()

    def close(self) -> None:
        """Write the buffered rows and the footer; the file itself stays open."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._buffer:
            self._writer.write_table(self._arrow.concat_tables(self._buffer))
        self._buffer, self._buffer_bytes = [], 0

    def _make_array(self, flat: list[Row], name: str, kind: Any, convert: Convert) -> Any:
        values = [row.get(name) for row in flat]
        if convert is not None:
            values = _convert_values(convert, values)
        return self._arrow.array(values, type=kind)

    def _choose_type(self, column: Column) -> tuple[Any, Convert]:
        """Return the type that holds every value of the column, text where there is no other."""
        column = replace(
            column, kinds=column.kinds & ~Kind.MOMENT, elements=column.elements & ~Kind.MOMENT
        )
        # Lists beside other values, or of objects, have no common type either.
        if column.kinds != Kind.LIST or column.elements & Kind.NESTED:
            return self._choose_scalar(column.kinds)
        kind, convert = self._choose_scalar(column.elements)
        return self._arrow.list_(kind), convert and partial(_convert_values, convert)

    def _choose_scalar(self, kinds: Kind) -> tuple[Any, Convert]:
        if kinds == Kind.BOOL:
            return self._arrow.bool_(), None
        if kinds == Kind.INT:
            return self._arrow.int64(), None
        if kinds and not kinds & ~_NUMBER:
            return self._arrow.float64(), float
        # pyarrow turns nothing into text by itself: it refuses a number in a text column.
        return self._arrow.string(), None if kinds in (Kind.NOTHING, Kind.TEXT) else to_text


def _convert_values(convert: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    """Return the values after the conversion; nulls stay."""
    return [None if value is None else convert(value) for value in values]
