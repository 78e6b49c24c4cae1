"""Which files of a snapshot are its text: the page's own, never a frame's or an advertisement's."""

from __future__ import annotations

from typing import Any

import pytest

from server.archivebox.pages.outputs import is_file_of, list_documents, list_texts, list_warcs

FRAME = "127.0.0.1+8000/menu.html"


def snapshot(url: str, result: dict[str, Any]) -> dict[str, Any]:
    return {"id": "1", "timestamp": "2", "url": url, "archiveresults": [result]}


def wget(noted: str, *names: str) -> dict[str, Any]:
    files = {name: {"mimetype": "text/html", "size": 9} for name in names}
    return {"plugin": "wget", "status": "succeeded", "output_str": noted, "output_files": files}


def test_the_file_is_chosen_by_the_url_and_not_by_the_note() -> None:
    own = "127.0.0.1+8000/frames.html"
    result = wget(f"wget/{FRAME}", FRAME, own, f"{own}.orig", "warc/1.warc.gz")
    page = snapshot("http://127.0.0.1:8000/frames.html", result)
    assert [output.path for output in list_texts(page)] == [f"/snapshot/1/wget/{own}"]
    assert [output.name for output in list_warcs(page)] == ["warc/1.warc.gz"]


def test_where_no_name_fits_the_note_counts() -> None:
    result = wget("wget/a.example/x.html", "a.example/x.html", "b.example/y.html")
    page = snapshot("http://a.example/another", result)
    assert [output.name for output in list_texts(page)] == ["a.example/x.html"]


def test_before_0_9_the_name_is_derived_from_the_url() -> None:
    result = {"extractor": "wget", "status": "succeeded", "output": FRAME}
    page = snapshot("http://127.0.0.1:8000/frames.html", result)
    paths = [output.path for output in list_texts(page)]
    assert paths[0] == "/archive/2/127.0.0.1+8000/frames.html"
    assert paths[-1] == f"/archive/2/{FRAME}"
    assert list_warcs(page) == []


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("a.example/index.html", "https://a.example"),
        ("a.example/b/index.html", "https://a.example/b/"),
        ("a.example/b.html", "https://a.example/b"),
        ("a.example/q.html@a=1&b=x%2Fy.html", "https://a.example/q.html?a=1&b=x/y"),
        ("a.example+81/b.html", "http://a.example:81/b.html#part"),
        ("a.example/größe.html", "https://a.example/gr%C3%B6%C3%9Fe.html"),
    ],
)
def test_names_are_those_that_wget_gives(name: str, url: str) -> None:
    assert is_file_of(name, url)
    assert not is_file_of(name, "https://a.example/other")


def plugin(name: str, *files: str) -> dict[str, Any]:
    listed = {file: {"mimetype": "text/plain", "size": 9} for file in files}
    return {"plugin": name, "status": "succeeded", "output_str": "", "output_files": listed}


def test_the_page_comes_before_the_article_unless_that_is_asked_for() -> None:
    page = snapshot("http://a.example/", plugin("wget", "a.example/index.html"))
    page["archiveresults"] += [
        plugin("htmltotext", "htmltotext.txt"),
        plugin("trafilatura", "content.txt", "content.md", "content.html"),
        plugin("defuddle", "content.txt", "content.html"),
    ]
    names = [(output.plugin, output.name) for output in list_texts(page)]
    assert names[0] == ("wget", "a.example/index.html")
    assert names[-1] == ("htmltotext", "htmltotext.txt")
    articles = [output.plugin for output in list_texts(page, article=True)]
    assert articles[0] == "defuddle"
    assert articles.index("trafilatura") < articles.index("wget")


def test_the_text_of_a_document_is_found_under_any_name() -> None:
    page = snapshot("http://a.example/a.pdf", plugin("liteparse", "a.pdf.txt", "a.pdf.json"))
    page["archiveresults"].append(plugin("opendataloader", "metadata.json", "content.md"))
    assert [output.name for output in list_documents(page)] == ["content.md", "a.pdf.txt"]
