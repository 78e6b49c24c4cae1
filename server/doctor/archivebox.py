"""What only the ArchiveBox can tell: whether it is one, which version, and whether the key
works."""

from __future__ import annotations

from server.archivebox.backend import ArchiveBoxBackend
from server.archivebox.client import Send
from server.archivebox.failures import decode
from server.doctor.report import Check
from server.errors import Code, Failure

SECONDS = 20.0

_UNREACHED = (
    "Look at the network and ARCHIVEBOX_URL; a self-signed certificate needs ARCHIVEBOX_CA_BUNDLE."
)


async def archivebox_checks(backend: ArchiveBoxBackend, where: str) -> list[Check]:
    """Ask for the server's own description, then use the key; `where` is how the server is called
    in the report."""
    client = backend.client
    deadline = client.now() + SECONDS
    try:
        api = await client.describe(deadline)
    except Failure as failure:
        unreached = failure.code in (Code.UNAVAILABLE, Code.TIMEOUT)
        hint = _UNREACHED if unreached else failure.hint
        return [
            Check("archivebox", "fail", failure.message, hint),
            Check("archivebox key", "skip", "not checked: ArchiveBox could not be asked"),
        ]
    answers = Check(
        "archivebox",
        "ok",
        f"{where} answers: version {api.version}, {len(api.endpoints)} endpoints",
    )
    try:
        reply = await client.raw(Send("GET", "/core/tags", deadline, params={"limit": 1}))
        decode(reply)
    except Failure as failure:
        return [answers, Check("archivebox key", "fail", failure.message, failure.hint)]
    expires = reply.headers.get("x-archivebox-auth-expires")
    return [
        answers,
        Check("archivebox key", "ok", "accepted" + (f", until {expires}" if expires else "")),
    ]
