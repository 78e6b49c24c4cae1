"""Identity of a workspace: ids, draws and options of attributes, the layer below all records.

Records refer to their workspace by this class or by one built on it, never the other way round, so
that the modules of the records import each other in one direction only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.sandbox.archive.data.attributes import list_options, option_number
from server.sandbox.archive.data.brands import Brand, ViewSpec
from server.sandbox.ids import Ids, Kind, mix


class Namespace:
    """What makes the records of one workspace differ from those of another.

    index: the place among the workspaces, part of every id. seed: the seed of the sandbox. anchor:
    the moment at which the sandbox started, to which all dates are relative.
    """

    def __init__(self, index: int, brand: Brand, ids: Ids, seed: int, anchor: datetime) -> None:
        self.index = index
        self.brand = brand
        self.ids = ids
        # Seeds of their own, or the workspaces would hold the same posts under other names.
        self.seed = mix(seed * 31 + index)
        self.anchor = anchor

    def id_of(self, kind: Kind, number: int) -> str:
        return self.ids.encode(self.index, kind, number)

    def number_of(self, kind: Kind, text: str) -> int | None:
        """Return the number behind an id of this workspace and kind, or None."""
        decoded = self.ids.decode(text)
        if decoded is None or decoded[:2] != (self.index, kind):
            return None
        return decoded[2]

    def option_id(self, entity: str, key: str, name: str) -> str:
        return self.id_of(Kind.OPTION, option_number(entity, key, name))

    def option_ids(self, entity: str, key: str, bits: int) -> list[str]:
        """Return the ids of the options of a select whose bits are set."""
        return [
            self.option_id(entity, key, name)
            for place, name in enumerate(list_options(entity, key))
            if bits >> place & 1
        ]

    def conditions_of(self, entity: str, view: ViewSpec) -> list[dict[str, Any]]:
        """Return a view's conditions, with the names of options turned into their ids."""
        conditions: list[dict[str, Any]] = []
        for condition in view.conditions:
            value = condition["value"]
            if "SELECT" in condition["type"]:
                field = condition["field"]
                value = [self.option_id(entity, field, name) for name in value]
            conditions.append({**condition, "value": value})
        return conditions
