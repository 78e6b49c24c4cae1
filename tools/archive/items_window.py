"""Which items a tool is about that only reads: as for any workflow, or all of a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field

from server.errors import Code, Failure
from tools.archive.content.fitting import drop_misfits
from tools.archive.items_source import Batch, ItemSource
from tools.archive.schema.inputs import FilterDateRangeInput


class WindowedSource(ItemSource):
    """A source of what only reads: all items where nothing says which, and those of a time."""

    takes_all = True

    taken_at: FilterDateRangeInput | None = Field(
        None, description="When it was posted: days or instants with zone."
    )

    def narrow_by_time(self) -> None:
        """Have Archive narrow by `takenAt` where it can, which spares pages; for the rest it is
        done here.

        Raises:
            Failure: `INVALID_ARGUMENT` for a search with a time of its own.
        """
        if self.taken_at is None or not self.is_filtered:
            return
        self.narrow("takenAt", self.taken_at.model_dump(by_alias=True, exclude_unset=True))
        self.taken_at = None

    def narrow(self, name: str, value: Any) -> None:
        """Add a part to the search's filter.

        Raises:
            Failure: `INVALID_ARGUMENT` where the source takes no filter, or has that part already.
        """
        if not self.is_filtered:
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"Archive cannot narrow a preset, ids or links by {name}.",
                "Use `search` with filter.collectionsIds for a collection, or the view's own "
                "conditions.",
            )
        requested = self.search_filter
        # The same value twice is harmless: models repeat themselves.
        if requested.get(name, value) != value:
            raise Failure(
                Code.INVALID_ARGUMENT, f"`search` has a filter.{name} of its own.", "Give it once."
            )
        self.search = {**(self.search or {}), "filter": {**requested, name: value}}

    @property
    def own_paths(self) -> list[str]:
        # Only what Archive did not narrow by time is narrowed here.
        paths = super().own_paths
        return [*paths, "takenAt"] if self.taken_at else paths

    def make_batch(self, batch: Batch, parts: dict[str, Any] | None = None) -> Batch:
        batch = super().make_batch(batch, parts)
        if self.taken_at is None:
            return batch
        window = self.taken_at.model_dump(by_alias=True, exclude_none=True)
        return replace(batch, items=drop_misfits({"takenAt": window}, batch.items)[0])
