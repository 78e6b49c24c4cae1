"""The policy: the rights that belong to whoever has signed in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from server.settings import Secret
from server.team.policy.rights import Access, Rights
from server.tool.context import Principal

MACHINE = "machine"
OIDC = "oidc"
TRIAL = "trial"
OWN_TOKEN = "token"  # noqa: S105  # the name of a way to sign in


@dataclass(frozen=True)
class Identity:
    """Somebody who proved who they are.

    Args:
        method: how they signed in.
        subject: what the way of signing in calls them; it never changes.
        name: what people read.
        email: only where the issuer says that it was verified.
        groups: the groups that the issuer names.
        token: their own Archive token, where they signed in with one.
    """

    method: str
    subject: str
    name: str
    email: str | None = None
    groups: frozenset[str] = frozenset()
    token: Secret | None = None

    @property
    def principal(self) -> Principal:
        """Who they are to the rest of the program."""
        return Principal(f"{self.method}:{self.subject}", self.name)

    def encode(self) -> str:
        """Return it as text, to be sealed and stored: it may hold a token."""
        content = {
            "method": self.method,
            "subject": self.subject,
            "name": self.name,
            "email": self.email,
            "groups": sorted(self.groups),
            "token": self.token.reveal() if self.token else None,
        }
        return json.dumps(content)

    @classmethod
    def decode(cls, text: str) -> Identity:
        """Return what `encode` made the text of."""
        content = json.loads(text)
        token = Secret(content["token"]) if content["token"] else None
        groups = frozenset(content["groups"])
        return cls(**{**content, "groups": groups, "token": token})


@dataclass(frozen=True)
class Person:
    """An entry of the policy about a person."""

    rights: Rights
    subject: str | None = None
    email: str | None = None
    name: str = ""


@dataclass(frozen=True)
class Machine:
    """An entry of the policy about a program, with the SHA-256 of its key."""

    name: str
    key_sha256: str
    rights: Rights


@dataclass(frozen=True)
class Policy:
    """Who may do what.

    Args:
        claims: the rights of everybody whom the issuer puts into a group, by its name there.
        own_tokens: the rights of those who sign in with their own Archive token; None where
            nobody may.
        trial: the rights of everybody in the sandbox, where nothing can be harmed.
    """

    people: Sequence[Person] = ()
    machines: Sequence[Machine] = ()
    claims: Mapping[str, Rights] = field(default_factory=dict)
    own_tokens: Rights | None = None
    trial: Rights | None = None

    def find(self, identity: Identity) -> Rights | None:
        """Return the rights of somebody; None where the policy does not know them."""
        if identity.method == OIDC:
            return self._find_person(identity)
        if identity.method == MACHINE:
            machines = {machine.name: machine.rights for machine in self.machines}
            return machines.get(identity.subject)
        if identity.method == TRIAL:
            return self.trial
        if identity.method == OWN_TOKEN and self.own_tokens is not None:
            return replace(self.own_tokens, archive=Access("own", identity.token))
        return None

    def find_machine(self, key_sha256: str) -> Machine | None:
        """Return the machine whose key has this digest."""
        for machine in self.machines:
            if machine.key_sha256 == key_sha256:
                return machine
        return None

    def _find_person(self, identity: Identity) -> Rights | None:
        # What names the person goes before what names a group of theirs.
        for person in self.people:
            if person.subject is not None and person.subject == identity.subject:
                return person.rights
        for person in self.people:
            if person.email is not None and person.email == _fold(identity.email):
                return person.rights
        for claim, rights in self.claims.items():
            if claim in identity.groups:
                return rights
        return None


def _fold(email: str | None) -> str | None:
    return email.strip().casefold() if email else None
