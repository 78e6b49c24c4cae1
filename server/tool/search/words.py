"""The words of requests: taken apart, brought to one form, and recognised as names of things and
actions (`words.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, filterfalse
from pathlib import Path

_FILE = Path(__file__).with_name("words.toml")
# At least two letters stay before the ending: `ties` is not the plural of `ty`.
_PLURAL_IES = re.compile(r"(?<=..)ies$")
# `access` is no plural, and neither is a word as short as `gas`.
_PLURAL_S = re.compile(r"(?<=..[^sui])s$")
# At least three letters stay before the ending of a verb's form: `bring` is not one of `br`.
_VERB_FORM = re.compile(
    r"(?<=...)(ization|isation|izing|ising|ings|ing|edly|ed|ly|ment|ation|ion)$"
)
# `stopp`, of `stopped`; `sell` and `press` end so by themselves.
_DOUBLE = re.compile(r"(?<=..)([^aeiouls])\1$")
_NUMBER = "#"
# Addresses and handles say what is meant by their form, and not by their letters.
_STAND_INS = (
    (re.compile(r"https?://(?:www\.)?(?:instagram|tiktok|youtube|youtu)\.\S+"), "post link url"),
    (
        re.compile(
            r"https?://\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|example|io|de|uk|gov)\b(?:/\S*)?"
        ),
        "web page url site",
    ),
    (re.compile(r"(?<!\w)@[\w.]+"), "account handle"),
    (re.compile(r"(?<!\w)#\w+"), "hashtag"),
)
# What stands between quotation marks is somebody's name for something.
_QUOTED = re.compile(r"""(?:(?<=\s)|^)['"\u201c][^'"\u201d]{2,60}['"\u201d](?=[\s,.?!]|$)""")
_CLAUSE = re.compile(r"[.;:!?,]\s+|\s+(?:and|then|but)\s+")
# How people say what something is to become.
_WISH = re.compile(r"\bshould(n't|( (also|be called|have|include|no|not|only|start|stop)))\b")
# A request of so few words is made of keywords, in any order.
_KEYWORDS = 4


@dataclass(frozen=True)
class Vocabulary:
    """What the data file says: words that say nothing, words before a verb, verbs of change, kinds
    of files, and the concept (thing or action) that a phrase stands for, by the phrase's words."""

    stop: frozenset[str]
    stop_stems: frozenset[str]
    polite: frozenset[str]
    change: frozenset[str]
    file: frozenset[str]
    concepts: dict[tuple[str, ...], frozenset[str]]
    written: dict[str, tuple[str, ...]]
    longest: int


@cache
def vocabulary() -> Vocabulary:
    """Return the words of the data file."""
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    sentence = {key: frozenset(text.split()) for key, text in content["sentence"].items()}
    entries = {**content["thing"], **content["action"]}
    concepts: dict[tuple[str, ...], frozenset[str]] = {}
    for concept, forms in entries.items():
        for phrase in (concept, *forms["written"], *forms["understood"]):
            key = tuple(split(phrase))
            concepts[key] = concepts.get(key, frozenset()) | {concept}
    return Vocabulary(
        stop=sentence["stop"],
        stop_stems=frozenset(map(stem, sentence["stop"])),
        polite=sentence["polite"],
        change=sentence["change"],
        file=sentence["file"],
        concepts=concepts,
        written={concept: tuple(forms["written"]) for concept, forms in entries.items()},
        longest=max(map(len, concepts)),
    )


def split(text: str) -> list[str]:
    """Return the words of a text, each in one form: `saved`, `saving` and `save` are the same."""
    return [stem(word) for word in split_plain(text)]


def split_plain(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower().replace("e-mail", "email")
    return re.findall(r"[a-z0-9]+", spaced)


@cache
def stem(word: str) -> str:
    """Return the form that stands for all forms of a word; it need not be a word itself."""
    if word.isdigit():
        return _NUMBER
    word = _PLURAL_S.sub("", _PLURAL_IES.sub("y", word))
    word = _DOUBLE.sub(r"\1", _VERB_FORM.sub("", word))
    if len(word) <= 3:
        return word
    return re.sub(r"y$", "i", re.sub(r"e$", "", word))


def list_concepts(words: Sequence[str]) -> set[str]:
    """Return the things and actions that the words name, the longest name first: a `saved search`
    is no `search`."""
    return set().union(*_match_phrases(words))


def _match_phrases(words: Sequence[str]) -> Iterator[frozenset[str]]:
    place = 0
    while place < len(words):
        length, concepts = _longest_phrase(words[place : place + vocabulary().longest])
        yield concepts
        place += length


def _longest_phrase(words: Sequence[str]) -> tuple[int, frozenset[str]]:
    for length in range(len(words), 0, -1):
        concepts = vocabulary().concepts.get(tuple(words[:length]))
        if concepts:
            return length, concepts
    return 1, frozenset()


def simplify(query: str) -> str:
    """Return a request without names in quotation marks, and with words for what links, handles
    and hashtags are."""
    text = _QUOTED.sub(" ", query)
    for pattern, words in _STAND_INS:
        text = pattern.sub(f" {words} ", text)
    if not split(text):
        # A request that is a name and nothing else is looked for as it is.
        return query
    return text


def asks_for_change(query: str) -> bool:
    """Return whether a request tells to change something or to write a file: a part of it begins
    with a verb of change, it says how something should be, it names a kind of file, or it is a few
    keywords with such a verb."""
    words = split_plain(query)
    if _WISH.search(query.lower()) or not vocabulary().file.isdisjoint(words):
        return True
    if len(words) > _KEYWORDS:
        words = list(map(_first_word, _CLAUSE.split(query.lower())))
    return not vocabulary().change.isdisjoint(words)


def _first_word(clause: str) -> str:
    words = re.findall(r"[a-z']+", clause)
    return next(filterfalse(vocabulary().polite.__contains__, words), "")


def write_hint(name: str, description: str, phrases: str) -> str:
    """Return what hosts search beside a tool's name and description: its own phrases, and the
    people's words for what it is named after, as far as they are in none of those texts.

    Words that every search leaves out are left out here.
    """
    hint = phrases.split(",")
    words = set(split_plain(" ".join([name.replace("_", " "), description, phrases])))
    for phrase in _list_written(name):
        missing = set(split_plain(phrase)) - words
        hint += [phrase] * bool(missing)
        words |= missing
    return ", ".join(dict.fromkeys(filter(None, map(_without_stop_words, hint))))


def _list_written(name: str) -> list[str]:
    written = map(vocabulary().written.__getitem__, sorted(list_concepts(split(name))))
    return list(chain.from_iterable(written))


def _without_stop_words(phrase: str) -> str:
    return " ".join(filterfalse(_is_stop_word, phrase.split()))


def _is_stop_word(word: str) -> bool:
    return word.lower().partition("'")[0] in vocabulary().stop
