"""What an audit record says, and what it leaves out."""

from __future__ import annotations

import pytest

from server.audit.event import MOST_IDS, Event, list_ids


def make(**values: object) -> Event:
    content = {
        "at": "2026-01-31T12:00:00.000Z",
        "kind": "change",
        "call": "c1",
        "principal": "local",
        "person": "local user",
        "tool": "delete_collection",
        "outcome": "begins",
    }
    return Event.from_dict({**content, **values})


def test_only_ids_of_the_arguments_are_recorded() -> None:
    arguments = {
        "input": {"collectionId": "c-1", "itemIds": ["i-1", "i-2"], "name": "Launch of the X"},
        "snapshot_ids": ["s-1"],
        "id": 7,
        "caption": "our secret launch",
        "ideas": "none",
        "emails": ["ann@example.com"],
    }
    assert list_ids(arguments) == ("c-1", "i-1", "i-2", "s-1", "7")


def test_an_id_is_recorded_once() -> None:
    assert list_ids({"id": "a"}, {"nodes": [{"id": "a"}, {"id": "b"}]}) == ("a", "b")


def test_there_is_an_end_to_ids() -> None:
    assert len(list_ids({"ids": [str(number) for number in range(5_000)]})) == MOST_IDS
    assert len(list_ids({"id": "x" * 10_000})[0]) == 200


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"ids": ["a", "b"], "credits": 12, "confirmed": "token", "preview": "d1"},
        {"outcome": "failed", "code": "NOT_FOUND", "workspace": "w", "job": "job_1"},
    ],
)
def test_a_record_survives_being_written_and_read(values: dict[str, object]) -> None:
    event = make(**values)
    assert Event.from_dict(event.to_dict()) == event
    assert None not in event.to_dict().values()


def test_a_record_of_a_later_version_is_read() -> None:
    assert make(mood="good") == make()
