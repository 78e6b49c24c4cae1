"""Who is calling: three ways to prove it, each with its own module."""

from server.team.identity.refusal import Refusal
from server.team.identity.sign_in import SignIn

__all__ = ["Refusal", "SignIn"]
