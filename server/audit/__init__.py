"""Who changed what: one record before a change is sent, and one of what became of it.

event       what a record says, without captions, names of posts, or secrets
log         where records go; lines.py is a file of JSON lines
auditor     makes the records of one principal
command     `archive-mcp audit`
"""

from server.audit.auditor import Auditor, Change
from server.audit.event import Event
from server.audit.log import AuditLog

__all__ = ["AuditLog", "Auditor", "Change", "Event"]
