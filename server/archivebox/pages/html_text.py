"""The text of an HTML page, as a person sees it in a browser.

It is read from the tokens of the HTML standard, in one pass. A tree is not needed for that, and it
is what costs: 110 kB of unclosed `<b>` became 32 million nodes and 11 GB in selectolax, 280 kB of
stray end tags took lxml 4 s, and an unclosed comment or attribute takes `html.parser` of Python
3.11 minutes. The stream of tokens grows with the page and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Attributes = Mapping[str, str | None]

_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "frameset",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "listing",
        "main",
        "menu",
        "nav",
        "ol",
        "optgroup",
        "option",
        "p",
        "plaintext",
        "pre",
        "search",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "textarea",
        "tfoot",
        "thead",
        "tr",
        "ul",
        "xmp",
    }
)
_CELLS = frozenset({"td", "th"})
# Neighbours of the same kind stand on lines of their own, with none between them.
_ROWS = frozenset(
    {
        "dd",
        "dt",
        "li",
        "option",
        "tbody",
        "tfoot",
        "thead",
        "tr",
    }
)
_VERBATIM = frozenset({"pre", "textarea", "listing", "xmp", "plaintext"})
# What a browser does not draw; all of these need their end tag, so that none hides what follows.
_UNSEEN = frozenset(
    {
        "script",
        "style",
        "template",
        "title",
        "iframe",
        "noembed",
        "noframes",
        "noscript",
        "audio",
        "video",
        "canvas",
        "datalist",
        "metadata",
    }
)
# Their contents are markup of its own, for browsers without scripts or frames.
_INSTEAD = frozenset({"noscript", "noframes"})
_UNDRAWN_INPUTS = frozenset({"hidden", "image", "file"})
_BOXES = frozenset({"checkbox", "radio"})
_TICKS = {True: " [x] ", False: " [ ] "}
# A browser draws dots for a password.
_SHOWN = {"password": ("placeholder",)}
_BUTTONS = {"submit": "Submit", "reset": "Reset"}
_DEEPEST = 50
_CELL_BORDER = " | "
_EMPTY_LINES = re.compile(r"\n{3,}")
_SOFT_HYPHEN = "\u00ad"


@dataclass(frozen=True)
class HtmlText:
    """What a page shows.

    frames: where the parts of a frameset are, as written. instead: what a page that shows nothing
    has for browsers without scripts or frames.
    """

    title: str
    text: str
    frames: tuple[str, ...] = ()
    instead: str = ""


def read_html(html: str) -> HtmlText:
    """Return the text of a page; it takes about half a second for a megabyte."""
    reader = _read(html)
    title = " ".join("".join(reader.titles).split())
    text, instead = reader.lines.result(), ""
    # Once, and not for what is nested in there again: that could go on for ever.
    if not text and reader.instead:
        instead = _read("\n".join(reader.instead)).lines.result()
    return HtmlText(title, text, tuple(reader.frames), instead)


def _read(html: str) -> _Reader:
    # Loading it takes as long as reading a page of 150 kB.
    from justhtml import stream

    reader = _Reader()
    events: Any = stream(html)
    for kind, value in events:
        if handle := reader.handlers.get(kind):
            handle(value)
    return reader


class _Lines:
    """Collects text in lines, with blanks folded except where they count."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._parts: list[str] = []
        self.has_words = False
        """Whether the line that is being written has any."""

    def add(self, text: str) -> None:
        """Add text to the line."""
        self._parts.append(text)
        # Noted here: to look through the parts at each cell would take time by their square.
        self.has_words |= bool(text.strip())

    def add_verbatim(self, text: str) -> None:
        """Add text whose line breaks and blanks count."""
        first, *others = text.split("\n")
        self.add(first)
        for line in others:
            self._close("".join(self._parts).rstrip())
            self.add(line)

    def break_line(self, *, verbatim: bool = False) -> None:
        """End the line."""
        line = "".join(self._parts).rstrip()
        if not verbatim:
            line = " ".join(line.split())
        self._close(line)

    def result(self) -> str:
        """Return the lines, with no more than one empty line between two."""
        self.break_line()
        return fold_empty_lines("\n".join(self._lines))

    def _close(self, line: str) -> None:
        border = _CELL_BORDER.strip()
        # A row of empty cells has nothing to show.
        is_bare = not line.replace(border, "").strip() and border in line
        self._lines.append("" if is_bare else line)
        self._parts, self.has_words = [], False


@dataclass
class _Reader:
    """Goes through the tokens of a page."""

    lines: _Lines = field(default_factory=_Lines)
    titles: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    instead: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    verbatim: int = 0

    def __post_init__(self) -> None:
        self.handlers: dict[str, Callable[[Any], None]] = {
            "start": self._start,
            "end": self._end,
            "text": self._add,
        }

    def _start(self, value: tuple[str, Attributes]) -> None:
        tag, attributes = value
        if tag in _UNSEEN:
            # Deeper ones end with those around them; a longer list would be gone through each time.
            if len(self.unseen) < _DEEPEST:
                self.unseen.append(tag)
        elif self.unseen:
            return
        elif tag in _CELLS:
            self._begin_cell()
        elif tag in _BLOCKS:
            self._break(tag)
            self.verbatim += tag in _VERBATIM
        elif tag in _SPECIAL:
            _SPECIAL[tag](self, attributes)

    def _end(self, tag: str) -> None:
        if self.unseen:
            self._end_unseen(tag)
        elif tag in _BLOCKS:
            self._break(tag)
            # Stray end tags are common: below zero the count would never recover.
            self.verbatim = max(0, self.verbatim - (tag in _VERBATIM))

    def _end_unseen(self, tag: str) -> None:
        # What is unclosed within ends with what is around it.
        if tag in self.unseen:
            del self.unseen[self.unseen.index(tag) :]

    def _add(self, text: str) -> None:
        if self.unseen:
            self._keep_unseen(text)
        elif self.verbatim:
            self.lines.add_verbatim(text)
        else:
            # Line breaks of the source are blanks.
            self.lines.add(text.replace(_SOFT_HYPHEN, ""))

    def _keep_unseen(self, text: str) -> None:
        # The first title counts; the others are those of drawings.
        is_title = self.unseen == ["title"]
        if is_title and not self.titles:
            self.titles.append(text)
        if self.unseen[-1] in _INSTEAD:
            self.instead.append(text)

    def _break(self, tag: str) -> None:
        if tag in _ROWS and not self.lines.has_words:
            return
        self.lines.break_line(verbatim=self.verbatim > 0)

    def _begin_cell(self) -> None:
        # A block within a cell has ended the line, and then the cells are apart already.
        self.lines.add(_CELL_BORDER if self.lines.has_words else " ")

    def add_input(self, attributes: Attributes) -> None:
        """Add what a field of a form shows."""
        kind = (attributes.get("type") or "text").lower()
        if kind in _BOXES:
            self.lines.add(_TICKS["checked" in attributes])
        elif kind not in _UNDRAWN_INPUTS:
            names = _SHOWN.get(kind, ("value", "placeholder"))
            values = [*map(attributes.get, names), _BUTTONS.get(kind)]
            shown = next(filter(None, values), "")
            self.lines.add(f" [{shown}] ")

    def add_frame(self, attributes: Attributes) -> None:
        """Note where a part of the page is."""
        if source := (attributes.get("src") or "").strip():
            self.frames.append(source)

    def add_gap(self, attributes: Attributes) -> None:
        """Keep two words apart."""
        self.lines.add(" ")


_SPECIAL: dict[str, Callable[[_Reader, Attributes], None]] = {
    "input": _Reader.add_input,
    "frame": _Reader.add_frame,
    "button": _Reader.add_gap,
    "label": _Reader.add_gap,
}


def fold_empty_lines(text: str) -> str:
    """Return the text with at most one empty line between two others, and none around it."""
    return _EMPTY_LINES.sub("\n\n", text).strip("\n")
