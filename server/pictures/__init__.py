"""Pictures for the assistant to look at: thumbnails, contact sheets, charts.

The libraries that draw them are optional and large: each module imports its own inside its
functions, on first use.
"""

from __future__ import annotations

import importlib.util

from server.errors import Code, Failure
from server.settings.extras import install_command

_LIBRARIES = {"pictures": "PIL", "charts": "matplotlib"}
_NAMES = {"pictures": "Pillow", "charts": "matplotlib"}


def is_installed(extra: str) -> bool:
    """Return whether the library of an extra ("pictures" or "charts") is there; import nothing."""
    return importlib.util.find_spec(_LIBRARIES[extra]) is not None


def describe_installation(extra: str) -> str:
    """Return what the user does to have the library of an extra, as a sentence."""
    return f"The user runs `{install_command(_NAMES[extra])}` and starts the server again."


def make_missing_library(extra: str, what: str, otherwise: str = "") -> Failure:
    """Return the refusal where a library is missing.

    Args:
        extra: "pictures" or "charts".
        what: the things that need it, in the plural.
        otherwise: a sentence about what works without it.
    """
    name = _NAMES[extra]
    return Failure(
        Code.UNSUPPORTED,
        f"{what} need the library {name}, which is not installed.",
        f"{describe_installation(extra)} {otherwise}".strip(),
        extra=extra,
    )
