"""Pictures for the assistant to look at: thumbnails made small, contact sheets, charts.

What draws them is optional and large: each module imports its library inside its functions, with
the first use.
"""

from __future__ import annotations

import importlib.util

from server.errors import Code, Failure

_LIBRARIES = {"pictures": "PIL", "charts": "matplotlib"}
_NAMES = {"pictures": "Pillow", "charts": "matplotlib"}


def is_installed(extra: str) -> bool:
    """Whether the library of an extra ("pictures" or "charts") is there; imports nothing of it."""
    return importlib.util.find_spec(_LIBRARIES[extra]) is not None


def missing(extra: str, what: str, otherwise: str = "") -> Failure:
    """The refusal where it is not: `what` needs it, `otherwise` is what works without."""
    name = _NAMES[extra]
    return Failure(
        Code.UNSUPPORTED,
        f"{what} need the library {name}, which is not installed.",
        f'The user installs the server as "archive-mcp[{extra}]" and starts it again. {otherwise}'.strip(),
        extra=extra,
    )
