"""How connections are made on machines with proxies, certificates and variables of all kinds."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSStream

from server.errors import Code, Failure
from server.http.client import Http
from server.http.connection import choose_proxy
from server.http.retry import Transient
from server.http.transport import Reply
from server.http.urls import is_local_name
from tests.support.machine.certificates import HOST, write_certificate

Behaviour = Callable[[SocketStream, bytes], Awaitable[None]]
URL = f"https://{HOST}:7000/api"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine takes part."""
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name.startswith("SSL"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of HOST, which signs for itself."""
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


@asynccontextmanager
async def listening(behave: Behaviour) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A loopback server that reads the head of a request and behaves; its port, and all heads."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    heads: list[bytes] = []

    async def handle(stream: SocketStream) -> None:
        async with stream:
            try:
                head = await stream.receive()
                heads.append(head)
                await behave(stream, head)
            except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
                return  # the client is gone

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # not Django's
        yield port, heads
        tasks.cancel_scope.cancel()


def saying(text: bytes) -> Behaviour:
    async def behave(stream: SocketStream, head: bytes) -> None:
        await stream.send(text)

    return behave


async def closing(stream: SocketStream, head: bytes) -> None:
    """Closes the connection without a word."""


def tunnelling(certificate: Path, requests: list[bytes], answer: bytes = ANSWER) -> Behaviour:
    """A proxy that opens the way, with the server itself behind it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def behave(stream: SocketStream, head: bytes) -> None:
        await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        tls = await TLSStream.wrap(
            stream, server_side=True, ssl_context=context, standard_compatible=False
        )
        requests.append(await tls.receive())
        if answer:
            await tls.send(answer)

    return behave


async def post(ca_bundle: Path | None = None) -> Reply:
    async with Http(URL, "Archive", ca_bundle=ca_bundle) as http:
        return await http.post(URL, {"x-key": "k"}, b"", seconds=20)


async def test_a_proxy_of_the_environment_opens_the_way(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []
    async with listening(tunnelling(certificate, requests)) as (port, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hidden9@127.0.0.1:{port}")
        reply = await post(certificate)

    assert reply.body == b"{}"
    assert heads[0].startswith(f"CONNECT {HOST}:7000 ".encode())
    assert b"Proxy-Authorization: Basic" in heads[0]
    assert b"x-key" not in heads[0]
    assert b"x-key: k" in requests[0]


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (
            saying(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
            "The proxy of HTTPS_PROXY did not open a connection to https://",
        ),
        (saying(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), "403 Forbidden"),
        (saying(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), "502 Bad Gateway"),
        (closing, "through the proxy of HTTPS_PROXY"),
        (saying(b"garbage\r\n\r\n"), "through the proxy of HTTPS_PROXY"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\nno tls here at all"), "through the proxy of HTTPS_PROXY"),
    ],
    ids=["407", "403", "502", "closes", "garbage", "no TLS behind it"],
)
async def test_where_a_proxy_opens_no_way_nothing_was_sent(
    behave: Behaviour, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(behave) as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hidden9@127.0.0.1:{port}")
        with pytest.raises(Transient) as refused:
            await post()

    failure = refused.value
    assert failure.code is Code.UNAVAILABLE
    assert failure.may_have_happened is False
    assert words in failure.message
    assert "Nothing was sent." in failure.message
    assert "hidden9" not in f"{failure.message} {failure.hint}"


async def test_a_server_behind_a_proxy_that_breaks_off_may_have_acted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []
    async with listening(tunnelling(certificate, requests, answer=b"")) as (port, _):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        with pytest.raises(Transient) as broken:
            await post(certificate)

    assert requests
    assert broken.value.may_have_happened is True


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ALL_PROXY": "socks4://127.0.0.1:1"}, "ALL_PROXY names a proxy of an unknown kind"),
        ({"HTTPS_PROXY": "one:two:three"}, "HTTPS_PROXY is not the URL of a proxy"),
        ({"https_proxy": "ftp://127.0.0.1"}, "https_proxy names a proxy of an unknown kind"),
        ({"HTTPS_PROXY": "http://127.0.0.1:-1"}, "HTTPS_PROXY is not the URL of a proxy"),
        ({"HTTPS_PROXY": "http://127.0.0.1:0"}, "HTTPS_PROXY is not the URL of a proxy"),
        ({"HTTPS_PROXY": "http://:3128"}, "HTTPS_PROXY is not the URL of a proxy"),
        ({"SSL_CERT_FILE": "/nowhere"}, "SSL_CERT_FILE names /nowhere, which cannot be used"),
        ({"SSL_CERT_FILE": __file__}, "it holds no certificate in PEM form"),
        ({"SSL_CERT_DIR": "/nowhere"}, "SSL_CERT_DIR names /nowhere, which cannot be used"),
        ({"SSLKEYLOGFILE": "/nowhere/keys"}, "SSLKEYLOGFILE names /nowhere/keys"),
        (
            {"HTTPS_PROXY": "https://127.0.0.1:1", "SSL_CERT_FILE": "/nowhere"},
            "SSL_CERT_FILE names /nowhere",
        ),
    ],
)
def test_what_is_wrong_with_this_machine_is_one_sentence_with_the_variable(
    variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Failure, match=words) as refused:
        Http(URL, "Archive")

    assert refused.value.code is Code.NOT_CONFIGURED
    assert refused.value.hint


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)

    with pytest.raises(Failure, match=r"ARCHIVE_MCP_CA_BUNDLE .* which cannot be used"):
        Http(URL, "Archive", ca_bundle=file)


def test_a_socks_proxy_without_its_package_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(Failure, match="ALL_PROXY names a SOCKS proxy") as refused:
        Http(URL, "Archive")

    assert refused.value.hint == f"Install it: {sys.executable} -m pip install socksio"


@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x05",
        b"\x00\x5a\x00\x00\x00\x00\x00\x00",
        b"\x05\xff",
        b"\x05\x00" * 999,
    ],
    ids=["HTTP", "half", "SOCKS 4", "no way in", "noise"],
)
async def test_what_is_no_socks_proxy_is_named_and_nothing_was_sent(
    words: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(saying(words)) as (port, _):
        monkeypatch.setenv("ALL_PROXY", f"socks5://me:hidden9@127.0.0.1:{port}")
        with pytest.raises(Transient, match="The proxy of ALL_PROXY") as refused:
            await post()

    assert refused.value.may_have_happened is False
    assert "hidden9" not in f"{refused.value.message} {refused.value.hint}"


async def test_a_proxy_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", '"http://proxy.invalid:3128"')

    with pytest.raises(Transient, match="name of the proxy of HTTPS_PROXY can be found"):
        await post()


async def test_a_socks_proxy_opens_the_way(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    targets: list[bytes] = []

    async def behave(stream: SocketStream, greeting: bytes) -> None:
        assert greeting[0] == 5
        await stream.send(b"\x05\x00")  # no authentication
        targets.append(await stream.receive())
        await stream.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")  # the way is open
        tls = await TLSStream.wrap(
            stream, server_side=True, ssl_context=context, standard_compatible=False
        )
        await tls.receive()
        await tls.send(ANSWER)

    async with listening(behave) as (port, _):
        monkeypatch.setenv("ALL_PROXY", f"socks5h://127.0.0.1:{port}")
        reply = await post(certificate)

    assert reply.body == b"{}"
    # The proxy looks the name up, because this machine may not be able to.
    assert HOST.encode() in targets[0]


@pytest.mark.parametrize(
    "exempt",
    ["*", "box.example", ".example", "example", "other.example, box.example:7000", "BOX.example"],
)
def test_a_host_of_no_proxy_is_reached_directly(
    exempt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert choose_proxy(URL) == "http://127.0.0.1:1"

    monkeypatch.setenv("NO_PROXY", exempt)
    assert choose_proxy(URL) is None


@pytest.mark.parametrize("exempt", ["[::1]", "[", "x.example", ",,", "10.0.0.0/8", "not/8"])
def test_an_odd_no_proxy_breaks_nothing(exempt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", exempt)

    assert choose_proxy(URL) == "http://127.0.0.1:1"
    Http(URL, "Archive")


def test_a_network_of_no_proxy_is_reached_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,[fd00::]/8")

    assert choose_proxy("https://10.1.2.3/api") is None
    assert choose_proxy("https://11.1.2.3/api") is not None


async def test_a_picture_is_read_through_the_same_proxy(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[bytes] = []
    picture = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\npng"
    async with listening(tunnelling(certificate, requests, picture)) as (port, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        async with Http("https://app.example/api", "Archive", ca_bundle=certificate) as http:
            reply = await http.fetch(f"https://{HOST}/a.png", {}, seconds=20)

    assert reply.body == b"png"
    assert heads[0].startswith(f"CONNECT {HOST}:443 ".encode())


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "[::1]",
        "[fd00::1]",
        "169.254.169.254",
        "127.1",
        "2130706433",
        "0x7f000001",
        "router",
        "printer.local",
        "db.internal",
        "a.localhost",
        "nas.home.arpa",
    ],
)
async def test_a_proxy_is_not_asked_for_a_file_of_a_local_network(
    host: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    redirect = f"HTTP/1.1 302 Found\r\nLocation: https://{host}/x\r\nContent-Length: 0\r\n"
    answer = f"{redirect}Connection: close\r\n\r\n".encode()
    requests: list[bytes] = []
    async with listening(tunnelling(certificate, requests, answer)) as (port, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        async with Http("https://app.example/api", "Archive", ca_bundle=certificate) as http:
            # After a redirect as well as at once.
            for url in (f"https://{host}/x", f"https://{HOST}/a.png"):
                with pytest.raises(Failure) as refused:
                    await http.fetch(url, {}, seconds=20)
                assert refused.value.code in (Code.FORBIDDEN, Code.UNAVAILABLE)

    assert [head.split(b" ")[1] for head in heads] == [f"{HOST}:443".encode()]


@pytest.mark.parametrize("host", ["8.8.8.8", "cdn.example.com", "x.localhost.example.com"])
def test_a_public_name_or_address_is_not_local(host: str) -> None:
    assert not is_local_name(host)
