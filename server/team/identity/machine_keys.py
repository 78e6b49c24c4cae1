"""Fixed keys of programs: made by `archive-mcp team key`, stored as a digest alone."""

from __future__ import annotations

import hashlib
import secrets

from server.team.identity.refusal import Refusal
from server.team.policy.policy import MACHINE, Identity, Policy

PREFIX = "amk_"
"""What every key begins with, so that scanners and people know one when they see it."""


def make_key() -> str:
    """Return a new key with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> str:
    """Return what the policy holds of a key.

    No slow hash is needed: nobody guesses 256 random bits.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def describe_new_key() -> str:
    """Return a new key, and what the policy says of it, in words for a terminal."""
    key = make_key()
    return (
        f"Key, for the program alone; it is shown this once:\n  {key}\n"
        f'For the policy:\n  [[machine]]\n  name = "NAME"\n  key_sha256 = "{digest(key)}"'
    )


def identify(key: str, policy: Policy) -> Identity:
    """Return the machine with this key.

    Raises:
        Refusal: `invalid`: the policy has no such key.
    """
    # Compared are digests: how long it takes says nothing of the key.
    machine = policy.find_machine(digest(key))
    if machine is None:
        raise Refusal(
            "invalid",
            "This key is not in the policy of this server, or not any more.",
            detail=f"unknown machine key, digest {digest(key)[:12]}",
        )
    return Identity(MACHINE, machine.name, machine.name)
