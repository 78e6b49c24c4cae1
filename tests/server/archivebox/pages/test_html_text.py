"""What a page shows: as a browser reads it, and in time that grows with the page alone."""

from __future__ import annotations

import time

import pytest

from server.archivebox.pages.html_text import read_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<title>T</title><p>First<p>Second<ul><li>one<li>two</ul>", "First\nSecond\none\ntwo"),
        ("<html><head><title>T</title><body><p>Below an open head", "Below an open head"),
        ("<table><tr><th>Fruit<th>Count<tr><td>Apple<td>3</table>", "Fruit | Count\nApple | 3"),
        ("<table><tr><td><p>Apple</p></td><td>3</td></tr></table>", "Apple\n3"),
        ("<label>Name <input value=Anna></label>", "Name [Anna]"),
        ("<input type=password value=secret><input type=hidden value=h>", "[]"),
        (
            "<select><option>Red<option>Blue</select><textarea>a\n b</textarea>",
            "Red\nBlue\n\na\n b",
        ),
        ("<script>var a='<p>no</p>'</script><style>p{}</style>yes", "yes"),
        ("<iframe src=a.html>no</iframe><noscript>no</noscript>yes", "yes"),
        ("<template>no</template><video>no</video>yes", "yes"),
        ("a &amp; b&nbsp;c &lt;d&gt; so\u00adft", "a & b c <d> soft"),
        ("<pre>a\n  b\n\n c</pre>", "a\n  b\n\n c"),
        ("one<br>two<!-- no --!>three", "one\ntwothree"),
        ("", ""),
    ],
)
def test_a_page_is_read_as_a_browser_shows_it(html: str, text: str) -> None:
    assert read_html(html).text == text


def test_the_title_is_the_pages_and_not_a_drawings() -> None:
    html = "<title> The\n page &amp; more </title><svg><title>Arrow</title><text>S</text></svg>"
    page = read_html(html)
    assert (page.title, page.text) == ("The page & more", "S")


def test_the_parts_of_a_frameset_are_named() -> None:
    page = read_html("<frameset><frame src=a.html><frame src='b/c.html'><noframes>old</noframes>")
    assert (page.text, page.frames, page.instead) == ("", ("a.html", "b/c.html"), "old")


def test_a_page_that_scripts_would_make_says_what_it_has_without_them() -> None:
    page = read_html("<div id=app></div><noscript><p>Turn on <b>scripts</b></noscript>")
    assert (page.text, page.instead) == ("", "Turn on scripts")
    assert read_html("text<noscript>no</noscript>").instead == ""


HOSTILE = {
    "formatting": "".join(f"<b id={number}><p>" for number in range(8_000)),
    "comments": "<!--" * 30_000,
    "sections": "<![CDATA[" * 30_000,
    "quotes": "<a b='" * 30_000,
    "cells": "<td>" * 50_000,
    "unseen": "<video>" * 10_000 + "</audio>" * 10_000,
    "nested": "<noscript>" * 20_000,
    "end tags": "<div>" * 20_000 + "</p>" * 20_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_page_takes_time_by_the_square_of_its_length(kind: str) -> None:
    read_html("<p>")  # the library is loaded
    start = time.process_time()
    read_html(HOSTILE[kind])
    assert time.process_time() - start < 3
