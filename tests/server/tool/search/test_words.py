from __future__ import annotations

import pytest

from server.tool.search.words import (
    asks_for_change,
    list_concepts,
    simplify,
    split,
    vocabulary,
    write_hint,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("saved searches", "saving search"),
        ("stories", "story"),
        ("stopped crawls", "stop crawl"),
        ("e-mails", "email"),
        ("5 posts", "250 posts"),
    ],
)
def test_forms_of_a_word_are_the_same(one: str, other: str) -> None:
    assert split(one) == split(other)


@pytest.mark.parametrize("word", ["access", "gas", "ties", "bring", "bus", "this", "press"])
def test_what_only_ends_like_a_form_stays_as_it_is(word: str) -> None:
    assert len(split(word)[0]) >= len(word) - 1


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("throw away the saved search", {"delete", "content view"}),
        ("our album", {"collection"}),
        ("the sidebar folder", {"view group"}),
        ("influencers by name", {"creator"}),
        ("nothing of the sort", set()),
    ],
)
def test_things_and_actions_are_recognised_by_the_words_of_people(
    text: str, concepts: set[str]
) -> None:
    assert list_concepts(split(text)) == concepts


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("delete the folder", True),
        ("could you please rename the label", True),
        ("that page is wrong, throw it away", True),
        ("crawl stop", True),
        ("which posts did we delete from the library last week", False),
        ("what collections do we have?", False),
        ("bookmarks about gardening", False),
    ],
)
def test_a_change_is_asked_for_by_a_verb_at_the_start_of_a_part(text: str, change: bool) -> None:
    assert asks_for_change(text) is change


def test_names_in_quotation_marks_are_not_looked_for() -> None:
    assert split(simplify('put "Best of Delete" into the section')) == split("put into the section")
    assert simplify("'content view'") == "'content view'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("is https://www.instagram.com/p/C9x/ there", "post link"),
        ("save https://example.org/a?b=c", "web page"),
        ("everything from nytimes.com", "web page"),
        ("posts of @marta.runs", "account handle"),
        ("posts with #glow", "hashtag"),
    ],
)
def test_addresses_are_looked_for_by_what_they_are(text: str, words: str) -> None:
    assert words in simplify(text)


def test_a_hint_gets_the_words_of_people_that_its_texts_lack() -> None:
    hint = write_hint("x_delete_collection", "Delete a folder.", "bin it, our board")

    assert hint.startswith("bin, board, ")
    assert "album" in hint
    assert "folder" not in hint.split(", ")


def test_no_phrase_is_empty_and_each_stands_for_few_things() -> None:
    for phrase, concepts in vocabulary().concepts.items():
        assert phrase
        assert len(concepts) <= 2, phrase
