"""The answers that are given before the SDK is there are the SDK's own."""

from __future__ import annotations

import importlib
import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

import prompts
from scripts.opening import FILE, Json, converse, open_with, record
from server.dispatch import Dispatcher
from server.protocol.first_answers import FirstAnswers, read_recorded
from server.protocol.handlers import build_server
from server.protocol.listing import Listing
from server.services import Services
from server.settings import Settings
from server.tool.catalog import Catalog
from tests.support.paths import OPENING, SURFACE

VERSIONS = (*HANDSHAKE_PROTOCOL_VERSIONS, *MODERN_PROTOCOL_VERSIONS)
TOOLSETS = (("all",), ("core",), ("discover",), ("content", "jobs", "discover"))
BACKENDS = ({"archive"}, {"archivebox"}, {"archive", "archivebox"})
# What they give as their name: nothing special, closed schemas, few tools.
CLIENTS = ("some-client", "claude-code", "Cline")
SCHEMAS = (None, "open", "closed")


class Setup:
    """A server that is set up in one way, and what answers before it."""

    def __init__(self, *, shortens: bool = True, schema: Any = None, **offer: Any) -> None:
        self._shortens = shortens
        self._schema = schema
        self._offer = {"backends": BACKENDS[2], "toolsets": ("all",), "read_only": False, **offer}

    def _list(self) -> tuple[Catalog, Listing]:
        catalog = Catalog.read(SURFACE, importlib.import_module)
        catalog.offer(**self._offer)
        return catalog, Listing(catalog, schema=self._schema, shortens=self._shortens)

    def answers(self) -> FirstAnswers:
        """What answers first."""
        catalog, listing = self._list()
        return FirstAnswers(read_recorded(OPENING), catalog, listing, prompts.instructions())

    async def converse(self, messages: list[Json]) -> list[Json]:
        """The SDK's answers."""
        catalog, listing = self._list()
        settings = Settings(sandbox=True)
        async with Services(settings) as services:
            dispatcher = Dispatcher(catalog, services, settings.timezone)
            texts = (prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
            server = build_server(catalog, dispatcher, *texts, listing)
            return await converse(server, messages)


def ask(answers: FirstAnswers, message: Json) -> Json | None:
    """The answer to a message; None without one."""
    answer = answers.answer(json.dumps(message).encode() + b"\n")
    if answer is None or not answer.line:
        return None
    content: Json = json.loads(answer.line)
    return content


async def test_the_packaged_answers_are_those_that_the_sdk_gives_now() -> None:
    recorded = await record()
    assert json.loads(FILE.read_text(encoding="utf-8")) == recorded, (
        "run `python -m scripts.opening`"
    )


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("version", VERSIONS)
async def test_each_first_answer_is_the_sdks_own(version: str, read_only: bool) -> None:
    for toolsets, backends, client, schema in product(TOOLSETS, BACKENDS, CLIENTS, SCHEMAS):
        setup = Setup(
            # As the settings have it: nobody is spared the tools that the user chose.
            shortens=toolsets == ("all",) and len(backends) == 2,
            schema=schema,
            backends=backends,
            toolsets=toolsets,
            read_only=read_only,
        )
        messages = open_with(version, {"name": client, "version": "2.0", "title": "A client"})
        answers = setup.answers()
        first = [ask(answers, message) for message in messages]
        assert [answer for answer in first if answer] == await setup.converse(messages)


OPENINGS = [open_with(version) for version in VERSIONS]
WORDS = [
    "roots",
    "sampling",
    "elicitation",
    "extensions",
    "experimental",
    "tasks",
    "others",
    "listChanged",
    "form",
    "url",
    "context",
    "tools",
    "name",
    "version",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(WORDS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=4,
)
KEYS = ("id", "params", "jsonrpc", "method", "x")
PARAMS = ("capabilities", "clientInfo", "protocolVersion", "_meta", "cursor")
META = [f"io.modelcontextprotocol/{key}" for key in ("clientInfo", "clientCapabilities")]


@st.composite
def odd_messages(draw: st.DrawFn) -> list[Json]:
    """An opening with one message changed in one place."""
    messages: list[Json] = json.loads(json.dumps(draw(st.sampled_from(OPENINGS))))
    place: Any = draw(st.sampled_from(messages))
    keys: tuple[str, ...] = KEYS
    for step, more in (("params", PARAMS), ("_meta", (*META, "progressToken"))):
        if step in place and draw(st.booleans()):
            place, keys = place[step], more
    place[draw(st.sampled_from(keys))] = draw(VALUES)
    return messages


@given(odd_messages())
async def test_an_odd_message_is_answered_as_the_sdk_does_or_left_to_it(
    messages: list[Json],
) -> None:
    setup = Setup()
    answers = setup.answers()
    asked: list[Json] = []
    first: list[Json] = []
    for message in messages:
        answer = answers.answer(json.dumps(message).encode() + b"\n")
        if answer is None:
            break
        asked.append(message)
        first += [json.loads(answer.line)] if answer.line else []
    assert first == await setup.converse(asked)


CAPABILITIES: list[Any] = [
    {},
    {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {"form": {}, "url": {}}},
    {"extensions": {"a": {"b": [1]}}, "experimental": {"a": {}}},
    {"roots": {"listChanged": 5}},
    {"roots": {"listChanged": {}}},
    {"elicitation": {"form": True}},
    {"elicitation": {"form": 5}},
    {"elicitation": []},
    {"sampling": {"tools": "x"}},
    {"extensions": {"a": 1}},
    {"experimental": {"a": []}},
    {"tasks": {"requests": 1}},
    {"others": 1},
    [],
    None,
]


@pytest.mark.parametrize("capabilities", CAPABILITIES, ids=str)
@pytest.mark.parametrize("version", VERSIONS)
async def test_capabilities_are_understood_as_the_sdk_does_or_left_to_it(
    version: str, capabilities: Any
) -> None:
    setup = Setup()
    opening, *_ = open_with(version)
    place = opening["params"].get("_meta", opening["params"])
    key = next(key for key in place if key.lower().endswith("capabilities"))
    place[key] = capabilities
    answer = ask(setup.answers(), opening)
    if CAPABILITIES.index(capabilities) < 3:
        assert answer is not None
    assert answer in (None, *await setup.converse([opening]))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbf{}\n",
        b"[]\n",
        b"{" * 100_000,
        b'{"a":' * 10_000,
        b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}\n',
        b'{"jsonrpc":"2.0","id":"\\ud800","method":"tools/list"}\n',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n',
        b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n',
        '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n'.encode("utf-16"),
    ],
)
def test_what_opens_no_connection_is_left_to_the_sdk(line: bytes) -> None:
    assert Setup().answers().answer(line) is None


@pytest.mark.parametrize("version", VERSIONS)
def test_the_eras_do_not_mix_and_a_connection_opens_once(version: str) -> None:
    answers = Setup().answers()
    opening, *_ = open_with(version)
    assert ask(answers, opening) is not None
    others = [other for other in VERSIONS if (other > "2026") != (version > "2026")]
    for other in others:
        assert all(ask(answers, message) is None for message in open_with(other)[:1])
    assert ask(answers, open_with(VERSIONS[0])[0]) is None
