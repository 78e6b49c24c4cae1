from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import anyio
import pytest
from pydantic import ValidationInfo, field_validator

from server.audit.auditor import Auditor
from server.dispatch import CALL_SECONDS, Dispatcher
from server.errors import Code, Failure
from server.services import Services
from server.tool.catalog import Catalog, Entry
from server.tool.confirmation import Confirmations
from server.tool.context import LOCAL_USER, Caller
from server.tool.elicitation import Nobody, Suspended
from server.tool.request import Request, Risk
from server.tool.result import Result, whole
from tests.support.doubles import Clock, Declared


class ListThings(Declared):
    """Lists."""

    backend = "shop"
    operation_kind = "operation"
    operation = "things"
    title = "List"
    risk: ClassVar[Risk] = "reads"
    repeatable = True

    day: str | None = None

    @field_validator("day")
    @classmethod
    def _noted(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.context:
            assert info.context["timezone"] is UTC
            info.context["instants"].append({"from": value})
        return value


class DropThing(ListThings):
    """Drops."""

    operation = "dropThing"
    risk: ClassVar[Risk] = "removes"


Run = Callable[[Request[Any, Any], Caller], Awaitable[Result]]


class Backends:
    """Services with one backend that does what the test says."""

    def __init__(self, run: Run) -> None:
        self._backend = SimpleNamespace(run=run)
        self.confirmations = Confirmations("ask")
        self.principal = LOCAL_USER
        self.auditor = Auditor()

    def list_downloads(self, names: Iterable[str]) -> Mapping[str, Any]:
        return {}

    async def backend(self, name: str) -> Any:
        if name == "closed":
            raise Failure(Code.NOT_CONFIGURED, "Closed.", "Set THE_KEY.")
        return self._backend


def entry(
    name: str,
    class_name: str,
    *,
    reads: bool = True,
    backend: str = "shop",
    operation: str = "things",
) -> Entry:
    tool = {"name": name, "annotations": {"readOnlyHint": reads}}
    return Entry(tool, backend, "goods", operation, "module", class_name)


def calls(
    run: Run,
    *,
    read_only: bool = False,
    seconds: float = CALL_SECONDS,
    clock: Clock | None = None,
) -> Dispatcher:
    surface = Catalog(
        [
            entry("shop_list_things", "ListThings"),
            entry("shop_drop_thing", "DropThing", reads=False, operation="dropThing"),
            entry("closed_list", "ListThings", backend="closed", operation="closed"),
        ],
        lambda module: SimpleNamespace(ListThings=ListThings, DropThing=DropThing),
    )
    surface.offer(backends={"shop", "closed"}, toolsets=["all"], read_only=read_only)
    return Dispatcher(
        surface, cast(Services, Backends(run)), UTC, seconds=seconds, clock=clock or Clock()
    )


async def fine(request: Request[Any, Any], caller: Caller) -> Result:
    return whole({"given": request.model_dump(exclude_unset=True), "deadline": caller.deadline})


def failing(error: Exception) -> Run:
    async def run(request: Request[Any, Any], caller: Caller) -> Result:
        raise error

    return run


async def refused(made: Dispatcher, name: str = "shop_list_things", **arguments: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        await made.call(name, arguments, Nobody())
    return caught.value


async def test_a_call_is_parsed_performed_and_answered_before_its_deadline() -> None:
    result = await calls(fine).call("shop_list_things", {}, Nobody())

    assert result.structured == {"given": {}, "deadline": 1000.0 + CALL_SECONDS}
    assert CALL_SECONDS == 45.0


async def test_the_instants_that_plain_days_became_are_told() -> None:
    result = await calls(fine).call("shop_list_things", {"day": "2026-03-01"}, Nobody())

    assert result.structured["instants"] == [{"from": "2026-03-01"}]
    assert result.text.endswith(',"instants":[{"from":"2026-03-01"}]}')


async def test_an_unknown_tool_gets_a_suggestion() -> None:
    failure = await refused(calls(fine), "shop_list_thing")

    assert (failure.code, failure.hint) == (Code.NOT_FOUND, "Did you mean shop_list_things?")


async def test_a_write_of_a_read_only_server_is_refused() -> None:
    assert (await refused(calls(fine, read_only=True), "shop_drop_thing")).code is Code.READ_ONLY


async def test_a_backend_that_is_not_configured_says_what_to_set() -> None:
    failure = await refused(calls(fine), "closed_list", nonsense=1)

    assert (failure.code, failure.hint) == (Code.NOT_CONFIGURED, "Set THE_KEY.")


async def test_wrong_arguments_are_refused_before_anything_is_performed() -> None:
    failure = await refused(calls(failing(AssertionError("performed"))), dai="2026-03-01")

    assert failure.code is Code.INVALID_ARGUMENT
    assert "Did you mean `day`?" in failure.message


async def test_a_hint_names_the_tool_behind_an_operation() -> None:
    failure = await refused(
        calls(failing(Failure(Code.NOT_FOUND, "Gone {things}.", "{things} lists them.")))
    )

    assert failure.hint == "shop_list_things lists them."
    assert failure.message == "Gone {things}."


async def test_a_bug_is_masked_and_found_in_the_log_under_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    secret = "the inner detail"  # not a credential
    with caplog.at_level(logging.ERROR, "archive_mcp"):
        failure = await refused(calls(failing(KeyError(secret))))

    assert failure.code is Code.INTERNAL
    assert not failure.retryable
    assert secret not in failure.message + failure.hint + repr(failure.details)
    assert failure.__cause__ is None
    assert failure.__suppress_context__
    incident = failure.message.partition("incident ")[2].partition(")")[0]
    assert len(incident) == 8
    assert f"incident {incident} in shop_list_things" in caplog.text
    assert secret in caplog.text


async def test_two_bugs_have_two_ids() -> None:
    made = calls(failing(ZeroDivisionError()))

    assert (await refused(made)).message != (await refused(made)).message


async def test_a_call_that_waits_for_the_person_is_not_a_bug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Suspended):
        await calls(failing(Suspended())).call("shop_list_things", {}, Nobody())

    assert caplog.text == ""


async def endless(request: Request[Any, Any], caller: Caller) -> Result:
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize(
    ("name", "code", "retryable"),
    [("shop_list_things", Code.TIMEOUT, True), ("shop_drop_thing", Code.OUTCOME_UNKNOWN, False)],
)
async def test_a_call_that_never_ends_is_given_up(name: str, code: Code, retryable: bool) -> None:
    failure = await refused(calls(endless, seconds=-0.95), name)

    assert (failure.code, failure.retryable) == (code, retryable)


async def test_a_failure_does_not_repeat_at_length_what_the_call_brought() -> None:
    failure = await refused(calls(failing(Failure(Code.NOT_FOUND, "x" * 9_999, "y" * 9_999))))

    assert len(failure.message) == len(failure.hint) == 2_000
    assert failure.message.endswith("x...")
