"""Seals texts that are stored or travel through clients, with keys that can be changed.

Sealed is what nobody else can read or make. The first key seals; every key opens, so that an old
one can be replaced without a pause.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


class Seal:
    """Seals texts for a purpose.

    Args:
        keys: secrets of at least 32 bytes; the first one seals.
        purpose: what the texts are for: what was sealed for another one does not open.
    """

    def __init__(self, keys: Sequence[bytes], purpose: str) -> None:
        if not keys:
            raise ValueError("a seal needs a key")
        self._ciphers = [AESGCM(_derive(key, purpose)) for key in keys]

    def close(self, text: str, about: str = "") -> str:
        """Return the text sealed, in characters that an address can hold.

        Args:
            about: what the text belongs to: it opens only together with that.
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, text.encode(), about.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, sealed: str, about: str = "") -> str | None:
        """Return the text; None where none of the keys sealed it for this purpose."""
        try:
            content = base64.b64decode(_pad(sealed), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        nonce, rest = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, rest, about.encode()).decode()
            # Another key's, changed on the way, or too short for a seal.
            except (InvalidTag, ValueError):
                continue
        return None


def _derive(key: bytes, purpose: str) -> bytes:
    """Return the key for one purpose: what is learned of it says nothing of the others."""
    info = f"archive-mcp {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _pad(text: str) -> str:
    return text + "=" * (-len(text) % 4)
