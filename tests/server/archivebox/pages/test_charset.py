"""The letters of saved files, in whatever set and whoever says which."""

from __future__ import annotations

import pytest

from server.archivebox.pages.charset import decode_text, find_codec

RUSSIAN = "Прилив поднимается дважды в сутки, и рыбаки выходят в море ещё до рассвета."
JAPANESE = "潮は一日に二度満ちて、漁師たちは夜明け前に海へ出る。"
FRENCH = "L'été dernier, le garçon a mangé des crêpes près de la forêt où il était né."


def page(text: str, charset: str, head: str = "") -> bytes:
    html = f"<!doctype html><html><head>{head}<title>T</title></head><body><p>{text}</p></body>"
    return html.encode(charset)


@pytest.mark.parametrize(
    ("charset", "label", "text"),
    [
        ("cp1251", "windows-1251", RUSSIAN),
        ("koi8-r", "KOI8-R", RUSSIAN),
        ("cp932", "Shift_JIS", JAPANESE),
        ("euc-jp", "euc-jp", JAPANESE),
        ("iso2022_jp", "iso-2022-jp", JAPANESE),
        ("cp1252", "iso-8859-1", "Zürich: 20 € œuvre"),
        ("gb18030", "gb2312", "潮水每天涨两次"),
    ],
)
def test_header_and_page_are_believed(charset: str, label: str, text: str) -> None:
    from_header = decode_text(page(text, charset), f"text/html; charset={label}")
    from_page = decode_text(page(text, charset, f'<meta charset="{label}">'))
    for decoded, source in ((from_header, "header"), (from_page, "page")):
        assert text in decoded.text
        assert (decoded.source, decoded.unreadable) == (source, 0)


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16"])
def test_a_mark_comes_before_everything(charset: str) -> None:
    body = page(RUSSIAN, charset, '<meta charset="windows-1251">')
    decoded = decode_text(body, "text/html; charset=koi8-r")
    assert RUSSIAN in decoded.text
    assert decoded.source == "mark"


def test_the_header_counts_more_than_the_page() -> None:
    body = page(RUSSIAN, "cp1251", '<meta charset="koi8-r">')
    assert RUSSIAN in decode_text(body, "text/html; charset=windows-1251").text


def test_a_declaration_that_the_bytes_contradict_is_doubted() -> None:
    wrong_header = decode_text(
        page(RUSSIAN, "cp1251", '<meta charset="windows-1251">'), "text/html; charset=utf-8"
    )
    wrong_both = decode_text(
        page(RUSSIAN, "utf-8", '<meta charset="windows-1251">'), "x; charset=x"
    )
    assert RUSSIAN in wrong_header.text
    assert RUSSIAN in wrong_both.text


@pytest.mark.parametrize(
    ("charset", "text"),
    [("cp1251", RUSSIAN), ("koi8-r", RUSSIAN), ("cp932", JAPANESE), ("cp1252", FRENCH)],
)
def test_what_nobody_declares_is_detected(charset: str, text: str) -> None:
    decoded = decode_text(page(text, charset))
    assert text in decoded.text
    assert decoded.source == "detected"


def test_single_broken_bytes_are_counted_and_the_rest_is_read() -> None:
    body = page(RUSSIAN * 3, "utf-8", '<meta charset="utf-8">').replace(b"</p>", b"\xff</p>")
    decoded = decode_text(body)
    assert RUSSIAN in decoded.text
    assert (decoded.charset, decoded.unreadable) == ("utf-8", 1)


def test_what_a_browser_wrote_is_utf_8_whatever_its_original_said() -> None:
    body = page(RUSSIAN, "utf-8", '<meta charset="windows-1251">')
    assert RUSSIAN in decode_text(body, from_browser=True).text


@pytest.mark.parametrize("label", ["base64", "rot13", "nonsense", "a\0b", ""])
def test_what_is_no_character_set_is_none(label: str) -> None:
    assert find_codec(label) == ""
