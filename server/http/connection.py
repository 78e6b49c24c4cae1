"""How a connection is made: through which proxy, and which certificates are trusted.

Both follow the machine's own configuration, as its other programs do: the proxy variables or the
system's settings, and the system's certificates. Whatever is wrong there is reported in one
sentence that names the variable.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from server.errors import Code, Failure
from server.http.urls import is_loopback
from server.settings.extras import install_command

_OWN = "ARCHIVE_MCP_CA_BUNDLE or ARCHIVEBOX_CA_BUNDLE"
_PUBLIC = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# In Windows' command line the quotes of `set` become part of the value.
_AROUND = "\"' \t"
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


_shared: dict[Path | None, ssl.SSLContext] | None = None


def share_certificates() -> None:
    """Load each set of certificates once from now on, for a process with many clients.

    A context takes 10 MB, and nobody changes one that is in use.
    """
    global _shared  # the one state of this module
    _shared = {}


def choose_proxy(url: str) -> str | None:
    """Return the URL of the proxy for a URL; None where the connection is direct.

    A proxy cannot reach this machine's loopback, so nothing that goes there uses one.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or _is_exempt(parts):
        return None
    proxies = getproxies()
    proxy = (proxies.get(parts.scheme) or proxies.get("all") or "").strip(_AROUND)
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def open_transport(
    url: str, *, limits: httpx.Limits, ca_bundle: Path | None = None
) -> httpx.AsyncHTTPTransport:
    """Return what sends requests to a URL's origin.

    Args:
        ca_bundle: a CA file that is trusted besides the system's certificates.

    Raises:
        Failure: `NOT_CONFIGURED`: the proxy or the certificates cannot be used.
    """
    return build_transport(
        choose_proxy(url), make_tls(urlsplit(url).scheme, ca_bundle), limits=limits
    )


def build_transport(
    proxy: str | None, tls: ssl.SSLContext, *, limits: httpx.Limits
) -> httpx.AsyncHTTPTransport:
    """Return what sends requests through a proxy, or directly where it is None.

    Raises:
        Failure: `NOT_CONFIGURED`: the proxy cannot be used.
    """
    if proxy is None:
        return httpx.AsyncHTTPTransport(verify=tls, limits=limits)
    scheme = proxy.partition("://")[0].lower()
    if scheme not in _PROXY_SCHEMES:
        raise _make_proxy_failure(proxy, f"names a proxy of an unknown kind, {scheme}://")
    try:
        # Reading the port raises the ValueError of one that cannot be; httpcore fails on it late.
        parts = urlsplit(proxy)
        if not parts.hostname or parts.port == 0:
            raise ValueError("no host or no port")
        make = _SocksTransport if scheme.startswith("socks") else httpx.AsyncHTTPTransport
        return make(
            verify=tls, limits=limits, proxy=httpx.Proxy(proxy, ssl_context=_tls_of_proxy(scheme))
        )
    except ImportError:
        raise _make_proxy_failure(
            proxy,
            "names a SOCKS proxy, which needs the package socksio",
            f"Install it: {install_command('socksio')}",
        ) from None
    except (httpx.InvalidURL, ValueError):
        raise _make_proxy_failure(proxy, "is not the URL of a proxy") from None


class _SocksTransport(httpx.AsyncHTTPTransport):
    """Reports what a SOCKS proxy does wrong as httpx reports it of any other proxy."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from socksio.exceptions import SOCKSError

        streams: list[Any] = []
        report = request.extensions.get("trace")

        async def note(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith("setup_socks5_connection.started"):
                streams.append(info["stream"])
            if report is not None:
                await report(event, info)

        request.extensions = {**request.extensions, "trace": note}
        try:
            return await super().handle_async_request(request)
        except (SOCKSError, httpx.ProxyError) as error:
            # httpcore forgets the connection.
            for stream in streams:
                await stream.aclose()
            if isinstance(error, httpx.ProxyError):
                raise
            # Only the way is opened by SOCKS: what is sent through it comes later.
            raise httpx.ProxyError("it does not answer as a SOCKS proxy does") from None


def make_tls(scheme: str, ca_bundle: Path | None = None) -> ssl.SSLContext:
    """Return what a server's certificate is verified with.

    Args:
        scheme: the URL's; plain http gets a context that trusts nobody.
        ca_bundle: a CA file that is trusted besides the system's certificates.

    Raises:
        Failure: `NOT_CONFIGURED`: a file of certificates or keys cannot be used.
    """
    if scheme != "https":
        # Plain http needs no CA store, and loading one costs 0.1 s and 10 MB. This context trusts
        # no certificate, so that a mistake fails instead of passing unverified.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if _shared is not None and ca_bundle in _shared:
        return _shared[ca_bundle]
    try:
        context = _load_certificates(ca_bundle)
    except (OSError, ValueError) as error:
        raise _make_tls_failure(ca_bundle, error) from None
    if _shared is not None:
        _shared[ca_bundle] = context
    return context


def describe_proxy(url: str) -> str:
    """Return the variable that names the proxy for a URL, for messages."""
    return find_variable(choose_proxy(url) or "")


def find_variable(proxy: str) -> str:
    """Return the name of the variable that holds a proxy's URL."""
    for name, value in os.environ.items():
        if not name.lower().endswith("_proxy"):
            continue
        if value and value.strip(_AROUND) in (proxy, proxy[len("http://") :]):
            return name
    return "the system's proxy setting"


def _load_certificates(ca_bundle: Path | None) -> ssl.SSLContext:
    context = _load_public_certificates()
    if ca_bundle is not None:
        context.load_verify_locations(cafile=ca_bundle)
    return context


def _load_public_certificates() -> ssl.SSLContext:
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        # OpenSSL itself would pass over a file that is not there, and then trust nobody.
        for path in filter(None, (file, folder)):
            Path(path).stat()
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    if sys.platform in ("win32", "darwin"):
        # There the system verifies by itself, with the certificates that an employer installed.
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not context.get_ca_certs() and not paths.capath:
        # Small containers have no certificates of their own.
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    return context


def _tls_of_proxy(scheme: str) -> ssl.SSLContext | None:
    return make_tls("https") if scheme == "https" else None


def _is_exempt(parts: SplitResult) -> bool:
    """Return whether NO_PROXY, or the system's list, keeps a host from the proxy."""
    host = parts.hostname or ""
    if proxy_bypass(parts.netloc.rpartition("@")[2]) or proxy_bypass(host):
        return True
    entries = getproxies().get("no", "").split(",")
    return any(_is_in_network(host, entry.strip().strip("[]")) for entry in entries)


def _is_in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _make_proxy_failure(proxy: str, problem: str, hint: str = "") -> Failure:
    # The URL may hold a password, so only the name of its variable is shown.
    name = find_variable(proxy)
    return Failure(
        Code.NOT_CONFIGURED,
        f"{name} {problem}. Nothing was sent.",
        hint or f"Set {name} to a URL such as http://proxy.example:3128, or leave it out.",
    )


def _make_tls_failure(ca_bundle: Path | None, error: Exception) -> Failure:
    name, path = _blame_variable(ca_bundle)
    reason = getattr(error, "strerror", None) or "it holds no certificate"
    if isinstance(error, ssl.SSLError):
        reason = "it holds no certificate in PEM form"
    return Failure(
        Code.NOT_CONFIGURED,
        f"{name} names {path}, which cannot be used: {reason}. Nothing was sent.",
        f"Correct {name} in this server's environment or leave it out, then restart the server.",
    )


def _blame_variable(ca_bundle: Path | None) -> tuple[str, str]:
    """Return the variable whose file was not usable, and that file."""
    # The standard library opens the second for each context, to write keys for debugging.
    opened = ((_OWN, ca_bundle, "rb"), ("SSLKEYLOGFILE", os.environ.get("SSLKEYLOGFILE"), "ab"))
    for name, file, mode in opened:
        if file and not _can_open(Path(file), mode):
            return name, str(file)
    trusted = {_OWN: ca_bundle, **{name: os.environ.get(name) for name in _PUBLIC}}
    blamed = [(name, str(file)) for name, file in trusted.items() if file]
    store = ("The system's certificate store", ssl.get_default_verify_paths().openssl_cafile)
    return next(iter(blamed), store)


def _can_open(path: Path, mode: str) -> bool:
    try:
        path.open(mode).close()
    except OSError:
        return False
    return True
