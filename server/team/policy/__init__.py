"""Who may do what: read from a file, checked, and read again on a signal."""

from server.team.policy.file import read_policy
from server.team.policy.policy import Identity, Policy
from server.team.policy.rights import Access, Rights

__all__ = ["Access", "Identity", "Policy", "Rights", "read_policy"]
