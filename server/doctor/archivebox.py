"""What only the ArchiveBox can answer: whether it is one, which version, and whether the key
works."""

from __future__ import annotations

from server.archivebox.backend import ArchiveBoxBackend
from server.archivebox.client import ArchiveBox, Send
from server.archivebox.failures import decode
from server.doctor.report import Check
from server.errors import Code, Failure
from server.http.intermediary import Intercepted

SECONDS = 20.0

_UNREACHED = (
    "Check the network and ARCHIVEBOX_URL; a self-signed certificate needs ARCHIVEBOX_CA_BUNDLE."
)
_HOW_TO_MAKE_A_KEY = (
    "Make an API key for a superuser in ArchiveBox's admin (/admin/api/apitoken/add/), put it into "
    "ARCHIVEBOX_API_KEY (or set ARCHIVEBOX_USERNAME and ARCHIVEBOX_PASSWORD) and restart your "
    "client."
)
_HINTS = {
    Code.UNAVAILABLE: _UNREACHED,
    Code.TIMEOUT: _UNREACHED,
    Code.UNAUTHENTICATED: _HOW_TO_MAKE_A_KEY,
}


async def check_archivebox(backend: ArchiveBoxBackend, name: str) -> list[Check]:
    """Ask the server for its own description, then use the key.

    Args:
        name: what the report calls the server.
    """
    client = backend.client
    deadline = client.now() + SECONDS
    try:
        api = await client.describe(deadline)
    except Failure as failure:
        return [
            Check("archivebox", "fail", failure.message, _hint_of(failure)),
            Check("archivebox key", "skip", _explain_skip(failure)),
        ]
    detail = f"{name} answers: version {api.version}, {len(api.endpoints)} endpoints"
    return [Check("archivebox", "ok", detail), await _check_key(client, deadline)]


async def _check_key(client: ArchiveBox, deadline: float) -> Check:
    # Tags, because every version has them and one of them is little to send.
    question = Send("GET", "/core/tags", deadline, params={"limit": 1})
    try:
        reply = await client.raw(question)
        decode(reply)
    except Failure as failure:
        return Check("archivebox key", "fail", failure.message, _hint_of(failure))
    expires = reply.headers.get("x-archivebox-auth-expires")
    # A key need not expire, and older versions do not say when.
    return Check(
        "archivebox key", "ok", f"accepted, valid until {expires}" if expires else "accepted"
    )


def _explain_skip(failure: Failure) -> str:
    if isinstance(failure, Intercepted):
        return f"not checked: {failure.who} answered, and not ArchiveBox"
    return "not checked, because ArchiveBox did not answer"


def _hint_of(failure: Failure) -> str:
    if isinstance(failure, Intercepted):
        return failure.hint
    # Hints are written for a model that speaks to the user; the doctor speaks to them itself.
    hint = failure.hint.removeprefix("Tell the user to ")
    return _HINTS.get(failure.code, hint[:1].upper() + hint[1:])
