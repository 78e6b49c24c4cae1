"""Edits one member of a JSON text with comments and trailing commas; every other byte stays.

The packages that do this carry a JavaScript engine, or reformat what they write. This one blanks
out what JSON does not know, so that the standard library checks the text and finds the places.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_STRING = r'"(?:[^"\\]|\\.)*"'
_COMMENT = re.compile(rf"{_STRING}|//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)
_MAY_COMMENT = re.compile(r"/[/*]")
_MAY_TRAIL = re.compile(r",\s*[}\]]")
_BLANKS = re.compile(r"[ \t\r\n]*")
_NOT_A_BREAK = re.compile(r"[^\r\n]")
_DECODER = json.JSONDecoder()


class JsonError(ValueError):
    """A text is no JSON, or not of the shape that an edit needs; the message says where."""


@dataclass(frozen=True)
class Member:
    """A member of an object, and where it stands in the text."""

    name: str
    start: int
    value_start: int
    end: int


@dataclass(frozen=True)
class _Object:
    """An object in the text: its first character, the one behind its last, and its members."""

    start: int
    end: int
    members: tuple[Member, ...]


class JsonText:
    """A JSON text whose root is an object; nothing but blanks and comments counts as an empty one.

    Raises:
        JsonError: It is something else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # Blanks take the place of comments, so that every place stays where it is. Large files
        # have neither as a rule, and looking for them there takes seconds.
        self._bare = _COMMENT.sub(_blank_comment, text) if _MAY_COMMENT.search(text) else text
        self._plain = self._bare
        if _MAY_TRAIL.search(self._bare):
            self._plain = _TRAILING_COMMA.sub(_blank_comma, self._bare)
        self.content = self._parse()

    def set_member(self, path: Sequence[str], value: Any) -> str:
        """Return the text with a value at a path of names; missing objects on the way are made.

        Raises:
            JsonError: Something on the way is no object.
        """
        if not self._plain.strip():
            return self._start_document(path, value)
        place, depth = self._walk(path)
        rest = path[depth + 1 :]
        for name in reversed(rest):
            value = {name: value}
        name = path[depth]
        member = _find_last(place.members, name)
        if member is None:
            return self._insert(place, name, value)
        text = self._render(value, self._indent_of(member.start), self._is_one_line(place))
        return self.text[: member.value_start] + text + self.text[member.end :]

    def remove_member(self, path: Sequence[str]) -> str:
        """Return the text without the member at a path; the same text where there is none.

        Raises:
            JsonError: Something on the way is no object.
        """
        if not self._plain.strip():
            return self.text
        place, depth = self._walk(path)
        member = _find_last(place.members, path[depth])
        if member is None or depth + 1 < len(path):
            return self.text
        # Of members with one name clients read the last: the one before must not take its place.
        text = self._cut(place, member)
        return JsonText(text).remove_member(path)

    def _parse(self) -> dict[str, Any]:
        if not self._plain.strip():
            return {}
        try:
            content = json.loads(self._plain)
        except json.JSONDecodeError as error:
            raise JsonError(f"line {error.lineno}: {error.msg}") from None
        except (ValueError, RecursionError) as error:
            raise JsonError(str(error)) from None
        if not isinstance(content, dict):
            raise JsonError("it holds something else than one object ({...})")
        return content

    def _walk(self, path: Sequence[str]) -> tuple[_Object, int]:
        """Return the innermost object on the path that exists, and how deep it is."""
        place = self._read_object(_skip_blanks(self._plain, 0))
        for depth, name in enumerate(path[:-1]):
            member = _find_last(place.members, name)
            if member is None:
                return place, depth
            if self._plain[member.value_start] != "{":
                raise JsonError(f'"{name}" holds something else than an object ({{...}})')
            place = self._read_object(member.value_start)
        return place, len(path) - 1

    def _read_object(self, start: int) -> _Object:
        members: list[Member] = []
        place = _skip_blanks(self._plain, start + 1)
        while self._plain[place] != "}":
            name, end = _DECODER.raw_decode(self._plain, place)
            # The colon stands between two runs of blanks.
            value_start = _skip_blanks(self._plain, _skip_blanks(self._plain, end) + 1)
            _, end = _DECODER.raw_decode(self._plain, value_start)
            members.append(Member(name, place, value_start, end))
            place = _skip_blanks(self._plain, end)
            if self._plain[place] == ",":
                place = _skip_blanks(self._plain, place + 1)
        return _Object(start, place + 1, tuple(members))

    def _insert(self, place: _Object, name: str, value: Any) -> str:
        # Behind the last comment too: what stands before the brace stays where it is.
        close = place.end - 1
        tail = len(self.text[:close].rstrip())
        one_line = self._is_one_line(place)
        if place.members:
            indent = self._indent_of(place.members[0].start)
            # One that ends with a comma goes on doing so.
            comma, end = ("", ",") if self._has_trailing_comma(place) else (",", "")
        else:
            indent = self._indent_of(place.start) + self._indent_unit()
            comma, end = "", ""
        entry = f"{json.dumps(name)}: {self._render(value, indent, one_line)}{end}"
        last = place.members[-1].end if place.members else tail
        middle = self.text[last:tail]
        if one_line:
            gap = " " if place.members else ""
            return self.text[:last] + comma + middle + gap + entry + self.text[tail:]
        line = self._line_break()
        rest = self.text[tail:]
        # The brace stands on a line of its own from now on, too.
        if "\n" not in self.text[tail:close]:
            rest = f"{line}{self._indent_of(place.start)}{self.text[close:]}"
        return f"{self.text[:last]}{comma}{middle}{line}{indent}{entry}{rest}"

    def _cut(self, place: _Object, member: Member) -> str:
        before = [other for other in place.members if other.start < member.start]
        follower = _skip_blanks(self._bare, member.end)
        end = follower + 1 if self._bare[follower] == "," else member.end
        start = member.start
        rest = self.text[end:]
        # With its line, where it had one of its own; a comment before it keeps its line break.
        if rest.lstrip(" \t")[:1] in ("\r", "\n"):
            start = len(self.text[:start].rstrip())
        if self._bare[follower] == "," or not before:
            return self.text[:start] + rest
        start = len(self.text[:start].rstrip(" \t"))
        # The comma that divided it from the one before would be left over.
        comma = _skip_blanks(self._bare, before[-1].end)
        return self.text[:comma] + self.text[comma + 1 : max(start, comma + 1)] + rest

    def _start_document(self, path: Sequence[str], value: Any) -> str:
        for name in reversed(path):
            value = {name: value}
        line = self._line_break()
        # Comments that stand there alone stay above it.
        head = f"{self.text.strip()}{line}".lstrip()
        return head + self._render(value, "", one_line=False) + line

    def _render(self, value: Any, indent: str, one_line: bool) -> str:
        if one_line:
            return json.dumps(value, ensure_ascii=False)
        text = json.dumps(value, ensure_ascii=False, indent=self._indent_unit())
        return text.replace("\n", f"{self._line_break()}{indent}")

    def _is_one_line(self, place: _Object) -> bool:
        return bool(place.members) and "\n" not in self.text[place.start : place.end]

    def _has_trailing_comma(self, place: _Object) -> bool:
        return self._bare[_skip_blanks(self._bare, place.members[-1].end)] == ","

    def _indent_of(self, place: int) -> str:
        """Return the blanks that the line of a place begins with."""
        start = self.text.rfind("\n", 0, place) + 1
        line = self.text[start:place]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _indent_unit(self) -> str:
        match = re.search(r"\n([ \t]+)\S", self._plain)
        return match[1] if match else "  "

    def _line_break(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"


def _find_last(members: Sequence[Member], name: str) -> Member | None:
    # Of several with one name the last counts, as it does for clients.
    return {member.name: member for member in members}.get(name)


def _skip_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


def _blank_comment(match: re.Match[str]) -> str:
    text = match[0]
    return text if text.startswith('"') else _NOT_A_BREAK.sub(" ", text)


def _blank_comma(match: re.Match[str]) -> str:
    text = match[0]
    return text if text.startswith('"') else " "
