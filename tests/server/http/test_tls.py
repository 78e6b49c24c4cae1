from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSStream
from cryptography import x509

from server.errors import Code
from server.http.client import Http
from server.http.retry import Transient
from server.http.transport import Reply
from tests.support.machine.certificates import write_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of a server that signs for itself."""
    address = x509.IPAddress(ip_address("127.0.0.1"))
    return write_certificate(tmp_path_factory.mktemp("tls") / "server.pem", address)


@asynccontextmanager
async def serving(certificate: Path | None) -> AsyncIterator[str]:
    """A server that says `{}` to anybody who gets as far as a request; with a certificate it speaks
    TLS."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # not Django's

    async def handle(raw: SocketStream) -> None:
        async with raw:
            stream: SocketStream | TLSStream = raw
            try:
                if certificate:
                    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                    context.load_cert_chain(certificate)
                    stream = await TLSStream.wrap(
                        raw, server_side=True, ssl_context=context, standard_compatible=False
                    )
                await stream.receive()
                await stream.send(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
                )
            except (OSError, anyio.EndOfStream, anyio.BrokenResourceError):
                return  # the client did not like what it saw

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield f"https://127.0.0.1:{port}/api"
        tasks.cancel_scope.cancel()


async def post(url: str, ca_bundle: Path | None = None) -> Reply:
    async with Http(url, "ArchiveBox", ca_bundle=ca_bundle) as http:
        return await http.post(url, {}, b"", seconds=5)


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(
    certificate: Path,
) -> None:
    async with serving(certificate) as url:
        with pytest.raises(Transient, match="its TLS certificate is not trusted") as refused:
            await post(url)

    assert refused.value.code is Code.UNAVAILABLE
    assert refused.value.may_have_happened is False


async def test_a_certificate_in_the_configured_file_is_trusted(certificate: Path) -> None:
    async with serving(certificate) as url:
        assert (await post(url, certificate)).body == b"{}"


async def test_a_server_that_speaks_no_tls_gets_nothing() -> None:
    async with serving(None) as url:
        with pytest.raises(Transient, match="no connection could be made") as refused:
            await post(url)

    assert refused.value.may_have_happened is False
