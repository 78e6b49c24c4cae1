"""Edits of one member in JSON texts as people write them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.setup.jsonc import JsonError, JsonText

NAMES = st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(OBJECTS, OBJECTS, st.sampled_from([None, 0, 2, "\t"]), VALUES)
def test_a_member_comes_and_goes_whatever_else_there_is(
    root: dict[str, Any], section: dict[str, Any], indent: Any, value: Any
) -> None:
    section.pop("new", None)
    content = {**root, "section": section}
    text = json.dumps(content, indent=indent, ensure_ascii=False)

    longer = JsonText(text).set_member(("section", "new"), value)

    assert json.loads(longer) == {**content, "section": {**section, "new": value}}
    shorter = JsonText(longer).remove_member(("section", "new"))
    assert json.loads(shorter) == content


FILLERS = st.sampled_from(["", "", " ", "\n", "\r\n\t", '// a , } "\n', "/* b // \n { */", "  "])
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')


@st.composite
def annotated(draw: st.DrawFn) -> str:
    """The text of an object with comments, blanks and trailing commas wherever they may be."""
    section = draw(OBJECTS)
    section.pop("new", None)
    content = {**draw(OBJECTS), "section": section}
    tokens = TOKEN.findall(json.dumps(content, ensure_ascii=False))
    parts: list[str] = []
    for before, token in zip(["", *tokens], tokens, strict=False):
        if token in "}]" and before not in ("{", "[") and draw(st.booleans()):
            parts += [",", draw(FILLERS)]
        parts += [token, draw(FILLERS)]
    return draw(FILLERS) + "".join(parts)


@settings(max_examples=400)
@given(annotated(), VALUES)
def test_comments_and_commas_stay_wherever_they_are(text: str, value: Any) -> None:
    before = JsonText(text)

    longer = before.set_member(("section", "new"), value)
    changed = JsonText(longer).set_member(("section", "new"), [value])
    shorter = JsonText(changed).remove_member(("section", "new"))

    section = before.content["section"]
    assert JsonText(longer).content == {**before.content, "section": {**section, "new": value}}
    assert JsonText(changed).content["section"]["new"] == [value]
    assert JsonText(shorter).content == before.content
    assert find_comments(shorter) == find_comments(changed) == find_comments(text)


def find_comments(text: str) -> list[str]:
    pattern = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
    return [match[0] for match in pattern.finditer(text) if not match[0].startswith('"')]


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ('{"s": {"a": 1, "x": 2}}', '{"s": {"a": 1}}'),
        ('{"s": {"x": 2, "a": 1}}', '{"s": { "a": 1}}'),
        ('{"s": {"x": 2}}', '{"s": {}}'),
        ('{"s": {\n  "a": 1, // one\n  "x": 2 }}', '{"s": {\n  "a": 1 // one\n }}'),
        ('{"s": {\n  "a": 1, // one\n  "x": 2\n}}', '{"s": {\n  "a": 1 // one\n}}'),
        ('{"s": {\n  // of x\n  "x": 2, // too\n  "a": 1\n}}', None),
        ('{"s": {"x": 1, "a": 2, "x": 3}}', '{"s": { "a": 2}}'),
        ('{"s": {"a": 1}}', '{"s": {"a": 1}}'),
        ('{"t": 1}', '{"t": 1}'),
        ("// nothing", "// nothing"),
    ],
)
def test_a_removed_member_takes_nothing_with_it(text: str, rest: str | None) -> None:
    shorter = JsonText(text).remove_member(("s", "x"))

    content = JsonText(text).content
    content.get("s", {}).pop("x", None)
    assert JsonText(shorter).content == content
    assert rest in (None, shorter)
    assert shorter.count("//") == text.count("//")


@pytest.mark.parametrize("text", ['{"s": 1}', '{"s": [1]}', '{"s": null}'])
def test_a_section_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(JsonError, match='"s" holds something else'):
        JsonText(text).set_member(("s", "x"), 1)


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": }', '{"a": 1} x', "{'a': 1}", '{"a": 1,,}'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(JsonError):
        JsonText(text)
