from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSStream
from cryptography import x509

import server.http.files
from server.errors import Code, Failure
from server.http.client import Http
from server.http.files import Resolve
from server.http.transport import Reply
from tests.support.machine.certificates import write_certificate
from tests.support.machine.ports import closed_port

HEADERS = {"accept": "image/*", "user-agent": "test"}
HOST = "cdn.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nSet-Cookie: a=b\r\nConnection: close\r\n\r\nPNG!"


@dataclass
class Files:
    """A loopback server of files: its port, and the requests that it read."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/a.png"


@asynccontextmanager
async def serve_files(
    answer: Callable[[Files], bytes], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Files]:
    """A server that answers every request alike and hangs up."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    files = Files(listener.extra(SocketAttribute.local_port))  # noqa: S610  # not Django's

    async def handle(raw: SocketStream) -> None:
        stream: SocketStream | TLSStream = raw
        with suppress(
            OSError, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError
        ):
            async with raw:
                if tls:
                    stream = await TLSStream.wrap(
                        raw, server_side=True, ssl_context=tls, standard_compatible=False
                    )
                files.requests.append(await stream.receive())
                if body := answer(files):
                    await stream.send(body)
                else:
                    await anyio.sleep_forever()

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield files
        tasks.cancel_scope.cancel()


def make_resolver(*addresses: str) -> Resolve:
    """A resolver that knows one answer."""

    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


async def find_nothing(host: str, port: int) -> list[str]:
    raise OSError("no such host")


async def fetch(
    url: str, own: str = "https://app.archive.com/api/v2", resolve: Resolve = find_nothing
) -> Reply:
    async with Http(own, "Archive", resolve=resolve) as http:
        return await http.fetch(url, HEADERS, seconds=30)


async def expect_refusal(
    url: str, own: str = "https://app.archive.com/api/v2", resolve: Resolve = find_nothing
) -> Failure:
    with pytest.raises(Failure) as caught:
        await fetch(url, own, resolve)
    assert HOST not in caught.value.message
    return caught.value


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """TLS of cdn.example, which this process trusts."""
    file = write_certificate(tmp_path / "server.pem", x509.DNSName(HOST))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize(
    "url",
    [
        "http://cdn.example/a.png",
        "ftp://cdn.example/a.png",
        "file:///etc/passwd",
        "https:///a.png",
        "https://user:pass@cdn.example/a.png",
        "https://cdn.example:99999/a.png",
        "https://cdn\u2024example/a.png",
        "nonsense",
    ],
)
async def test_what_is_not_plain_https_is_not_asked_for(url: str) -> None:
    assert (
        await expect_refusal(url, resolve=make_resolver("93.184.216.34"))
    ).code is Code.FORBIDDEN


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.7",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # nothing is bound to it
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:7",
        "2002:7f00:1::",
        "not an address",
    ],
)
async def test_a_host_with_an_address_inside_is_not_asked_even_if_others_are_public(
    address: str,
) -> None:
    failure = await expect_refusal(
        f"https://{HOST}/a.png", resolve=make_resolver("93.184.216.34", address)
    )

    assert failure.code is Code.FORBIDDEN
    assert failure.message == "its host is not a public one"


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/a.png", "https://[::1]/a.png", "https://localhost/a.png"]
)
async def test_addresses_of_this_machine_are_not_asked(url: str) -> None:
    assert (
        await expect_refusal(url, resolve=server.http.files.resolve_addresses)
    ).code is Code.FORBIDDEN


async def test_a_host_that_nobody_knows_is_said_so() -> None:
    assert (await expect_refusal(f"https://{HOST}/a.png")).message == "its host could not be found"


async def test_the_connection_goes_to_the_address_that_was_checked_under_the_host_s_own_name(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.http.files, "is_public", lambda address: True)
    async with serve_files(lambda _: OK, certificate) as files:
        reply = await fetch(
            f"https://{HOST}:{files.port}/a.png?sig=1", resolve=make_resolver("127.0.0.1")
        )

    assert (reply.status, reply.body) == (200, b"PNG!")
    head = files.requests[0].lower()
    assert head.startswith(b"get /a.png?sig=1 http/1.1\r\n")
    assert f"host: {HOST}:{files.port}\r\n".encode() in head
    assert b"authorization" not in head
    assert b"cookie" not in head


async def test_another_host_s_certificate_is_not_accepted(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.http.files, "is_public", lambda address: True)
    async with serve_files(lambda _: OK, certificate) as files:
        failure = await expect_refusal(
            f"https://other.example:{files.port}/a.png", resolve=make_resolver("127.0.0.1")
        )

    assert failure.code is Code.UNAVAILABLE
    assert files.requests == []


async def test_the_api_s_own_origin_may_be_this_machine_and_gets_no_key() -> None:
    async with serve_files(lambda _: OK) as files:
        reply = await fetch(files.url, own=f"http://127.0.0.1:{files.port}/api/v2")
        await fetch(files.url, own=f"http://127.0.0.1:{files.port}/api/v2")

    assert reply.body == b"PNG!"
    assert not any(
        b"authorization" in each.lower() or b"cookie" in each.lower() for each in files.requests
    )


def redirect(location: str) -> bytes:
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n"
    return f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def test_a_redirect_to_another_place_on_this_machine_is_not_followed() -> None:
    async with (
        serve_files(lambda _: OK) as inside,
        serve_files(lambda _: redirect(inside.url)) as files,
    ):
        failure = await expect_refusal(files.url, own=f"http://127.0.0.1:{files.port}/api")

    assert failure.code is Code.FORBIDDEN
    assert inside.requests == []


async def test_a_redirect_to_a_private_host_is_not_followed() -> None:
    async with serve_files(lambda _: redirect(f"https://{HOST}/b.png")) as files:
        failure = await expect_refusal(
            files.url, f"http://127.0.0.1:{files.port}/api", make_resolver("192.168.0.9")
        )

    assert failure.message == "its host is not a public one"


async def test_a_redirect_within_the_same_host_is_followed() -> None:
    async with serve_files(
        lambda files: redirect("/b.png") if len(files.requests) == 1 else OK
    ) as files:
        reply = await fetch(files.url, own=f"http://127.0.0.1:{files.port}/api")

    assert reply.body == b"PNG!"
    assert files.requests[1].startswith(b"GET /b.png ")


async def test_a_redirect_to_what_is_no_url_is_not_followed() -> None:
    async with serve_files(lambda _: redirect("http://[::1")) as files:
        failure = await expect_refusal(files.url, own=f"http://127.0.0.1:{files.port}/api")

    assert failure.message == "its host redirects to what is no URL"


async def test_redirects_without_end_are_given_up() -> None:
    async with serve_files(lambda _: redirect("/again.png")) as files:
        failure = await expect_refusal(files.url, own=f"http://127.0.0.1:{files.port}/api")

    assert failure.message == "its host redirects again and again"
    assert len(files.requests) == 4


async def test_more_than_eight_megabytes_are_not_read() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n" + bytes(
        9 * 2**20
    )
    async with serve_files(lambda _: large) as files:
        failure = await expect_refusal(files.url, own=f"http://127.0.0.1:{files.port}/api")

    assert failure.message == "it is larger than 8 MB"


async def test_nothing_is_unpacked() -> None:
    packed = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n"
        b"Connection: close\r\n\r\ngzip"
    )
    async with serve_files(lambda _: packed) as files:
        assert (await fetch(files.url, own=f"http://127.0.0.1:{files.port}/api")).body == b"gzip"


async def test_a_host_that_does_not_answer_is_given_up_in_time() -> None:
    async with (
        serve_files(lambda _: b"") as files,
        Http(f"http://127.0.0.1:{files.port}/api", "Archive") as http,
    ):
        with pytest.raises(Failure, match="did not answer within") as caught, anyio.fail_after(30):
            await http.fetch(files.url, HEADERS, seconds=0.2)

    assert caught.value.code is Code.TIMEOUT


async def test_a_host_that_is_not_there_is_said_so() -> None:
    with closed_port() as port:
        failure = await expect_refusal(Files(port).url, own=f"http://127.0.0.1:{port}/api")

    assert failure.message == "its host could not be reached"


async def test_a_connection_that_breaks_is_said_so() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nPN"
    async with serve_files(lambda _: half) as files:
        failure = await expect_refusal(files.url, own=f"http://127.0.0.1:{files.port}/api")

    assert failure.message == "the connection to its host broke"
