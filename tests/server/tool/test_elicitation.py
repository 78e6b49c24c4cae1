"""A question and its title, and an asker with nobody behind it."""

from __future__ import annotations

import pytest

from server.text import ELLIPSIS
from server.tool.elicitation import Nobody, Question


@pytest.mark.parametrize(
    ("message", "title", "rest"),
    [
        ("Delete 1 page? It is gone then.", "Delete 1 page?", "It is gone then."),
        ("Delete 1 page?", "Delete 1 page?", ""),
        # A name ends no question, whatever stands in it.
        ('Delete "Really? Yes." and 2 more? Gone.', 'Delete "Really? Yes." and 2 more?', "Gone."),
        ("Nothing is asked here.", "Nothing is asked here.", ""),
    ],
)
def test_the_title_of_a_question_is_the_question_itself(
    message: str, title: str, rest: str
) -> None:
    assert Question("confirm", message, {}).split_message() == (title, rest)


@pytest.mark.parametrize("end", ["?", ""])
@pytest.mark.parametrize(("length", "is_cut"), [(120, False), (121, True)])
def test_a_title_has_120_characters_at_most(length: int, is_cut: bool, end: str) -> None:
    message = "x" * (length - len(end)) + end

    title, _ = Question("confirm", message, {}).split_message()

    assert len(title) == 120
    assert title.endswith(ELLIPSIS) is is_cut


async def test_where_nobody_can_be_asked_nobody_is() -> None:
    nobody = Nobody()
    assert not nobody.can_ask
    assert (await nobody.ask(Question("confirm", "Delete?", {}))).action == "unavailable"
    await nobody.report(1, 2, "half")
