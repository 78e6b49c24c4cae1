"""Fetching the files of a saved page, through the server's own routes for files."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.failures import is_refused_host, make_host_failure
from server.archivebox.pages.outputs import Output
from server.errors import Code, Failure
from server.http.transport import MAX_BODY, Reply

# An answer to a request for a part of a file.
_PARTIAL = 206
_REFUSED = (401, 403)


class PageFiles:
    """Reads files of one snapshot, and remembers why some of them could not be read."""

    def __init__(self, api: ArchiveBoxApi) -> None:
        self._api = api
        self._is_private = False
        self._is_elsewhere = False
        self.too_large: list[Output] = []
        """Files with more bytes than are read."""

    async def fetch(
        self,
        output: Output,
        *,
        most: int | None = None,
        packed: bool = False,
        largest: int = MAX_BODY,
    ) -> Reply | None:
        """Return the file, or None where the server does not show it.

        Args:
            most: how many bytes to read of it.
            packed: whether a packed file is left as it is.
            largest: the most bytes of a file that is read whole.

        Raises:
            Failure: the server cannot be reached or does not accept its address.
        """
        if most is None and (output.size or 0) > largest:
            self.too_large.append(output)
            return None
        try:
            reply = await self._api.client.file(
                output.path, self._api.deadline, most=most, packed=packed, largest=largest
            )
        except Failure as failure:
            self._note(failure, output)
            return None
        if is_refused_host(reply):
            raise make_host_failure()
        # Anything else, such as a page that asks for a password, may be what was saved.
        if reply.status in (200, _PARTIAL):
            return reply
        self._is_private |= reply.status in _REFUSED or 300 <= reply.status < 400
        return None

    async def fetch_all(self, outputs: list[Output]) -> AsyncIterator[tuple[Output, Reply]]:
        """Yield each of the files that the server shows, in turn."""
        for output in outputs:
            if reply := await self.fetch(output):
                yield output, reply

    def make_failure(self) -> Failure:
        """Return why none of the files could be read."""
        if self._is_private:
            return Failure(
                Code.FORBIDDEN,
                "This page's files are private: ArchiveBox shows them to people who are logged in, "
                "and not to an API key.",
                "The user makes the snapshot public in ArchiveBox (or sets PUBLIC_SNAPSHOTS=True) "
                "to have it read here.",
            )
        if self._is_elsewhere:
            return Failure(
                Code.FORBIDDEN,
                "ArchiveBox sends callers of this page's files on to another host name: it is "
                "private (a login), or saved pages have host names of their own there.",
                "The user makes the snapshot public. If it is, they set "
                "SERVER_SECURITY_MODE=safe-onedomain-nojsreplay in ArchiveBox, so that its files "
                "are served at ARCHIVEBOX_URL.",
            )
        return Failure(
            Code.NOT_FOUND,
            "The files of this page are not there (any more).",
            "Archive it again: {POST /cli/update}.",
        )

    def _note(self, failure: Failure, output: Output) -> None:
        """Remember why a file could not be read; raise what concerns all files."""
        if failure.code is Code.NOT_CONFIGURED:
            self._is_elsewhere = True
        # The client reads no answer to its end that is longer than others can be.
        elif failure.code is Code.BAD_RESPONSE:
            self.too_large.append(output)
        else:
            raise failure
