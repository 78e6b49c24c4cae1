"""What each setting is, in words: installers, manifests and documents are made from this table.

Nothing that runs imports it, so it costs no start of the server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from server.settings.settings import DEFAULT_API_URL, ConfirmMode, EmvUnit, SchemaForm

Kind = Literal["text", "secret", "switch", "folder", "file", "choice"]


@dataclass(frozen=True)
class Setting:
    """Describes a setting to a person.

    Args:
        name: the environment variable.
        title: a label of a few words for a form.
        meaning: what it does, as the table of the documents says it.
        default: what holds without it, in words.
        flag: the option of the command line that sets it too.
        asked: whether an installer asks for it; the others go into `~/.env.shared`.
        choices: the only values it takes.
        help: what a form says of it, where that is more than the meaning.
    """

    name: str
    title: str
    meaning: str
    kind: Kind = "text"
    default: str = "-"
    flag: str = ""
    asked: bool = False
    choices: tuple[str, ...] = ()
    help: str = ""

    @property
    def is_secret(self) -> bool:
        """Whether hosts hide the value and keep it in their keychain."""
        return self.kind == "secret"

    @property
    def prompt(self) -> str:
        """What a form says of it: one or two sentences."""
        text = self.help or f"{self.meaning[0].upper()}{self.meaning[1:]}."
        # Forms are no Markdown.
        return text.replace("`", "")


# In the order in which documents and forms show them.
SETTINGS: tuple[Setting, ...] = (
    Setting(
        "ARCHIVE_APP_TOKEN",
        "Archive token",
        "Archive API token",
        kind="secret",
        asked=True,
        help="Made in Archive (archive.com) under Settings > Integrations. Leave it empty to use "
        "ArchiveBox alone.",
    ),
    Setting(
        "ARCHIVE_WORKSPACE_ID",
        "Archive workspace",
        "default workspace: an id or a name",
        asked=True,
        help="Name or id of the workspace to use by default. Left empty, the assistant asks.",
    ),
    Setting("ARCHIVE_API_URL", "Archive API", "GraphQL endpoint", default=f"`{DEFAULT_API_URL}`"),
    Setting(
        "ARCHIVEBOX_URL",
        "ArchiveBox address",
        "for example `http://127.0.0.1:8000`",
        asked=True,
        help="Where you open your own ArchiveBox, for example http://127.0.0.1:8000. Leave it "
        "empty if you have none.",
    ),
    Setting(
        "ARCHIVEBOX_API_KEY",
        "ArchiveBox key",
        "its key, or instead:",
        kind="secret",
        asked=True,
        help="A superuser's key, made in ArchiveBox's admin under API tokens.",
    ),
    Setting(
        "ARCHIVEBOX_USERNAME",
        "ArchiveBox user",
        "exchanged for a key, kept in memory",
        help="With the password instead of a key: exchanged for one, which stays in memory.",
    ),
    Setting(
        "ARCHIVEBOX_PASSWORD",
        "ArchiveBox password",
        "exchanged for a key, kept in memory",
        kind="secret",
        help="With the user instead of a key: exchanged for one, which stays in memory.",
    ),
    Setting(
        "ARCHIVEBOX_CA_BUNDLE",
        "ArchiveBox certificates",
        "CA file for a self-signed ArchiveBox, besides the system's certificates",
        kind="file",
        default="system store",
    ),
    Setting(
        "ARCHIVE_MCP_CA_BUNDLE",
        "Certificates",
        "CA file for both APIs, for a proxy that replaces certificates",
        kind="file",
        default="system store",
    ),
    Setting(
        "ARCHIVE_MCP_TOOLSETS",
        "Toolsets",
        "comma list of toolsets",
        default="`all`",
        flag="--toolsets",
    ),
    Setting(
        "ARCHIVE_MCP_SCHEMA",
        "Schema form",
        "`open` or `closed` schemas: `closed` lists `additionalProperties`, over which some "
        "clients fail",
        kind="choice",
        default="by client",
        choices=get_args(SchemaForm),
        help="Form of the tools' schemas: some clients fail over closed ones. Left empty, the "
        "client decides.",
    ),
    Setting(
        "ARCHIVE_MCP_QUICK_START",
        "Quick start",
        "off: nothing is answered before everything is loaded",
        kind="switch",
        default="on",
    ),
    Setting(
        "ARCHIVE_MCP_READ_ONLY",
        "Read only",
        "only tools that change nothing exist",
        kind="switch",
        default="off",
        flag="--read-only",
        asked=True,
        help="Offer only tools that change nothing.",
    ),
    Setting(
        "ARCHIVE_MCP_CONFIRM",
        "Confirmations",
        "`token` or `never`, see below",
        kind="choice",
        default="`ask`",
        choices=get_args(ConfirmMode),
        help="How a delete or an expense is confirmed: ask the user, hand out a token to repeat "
        "the call with, or never, which refuses them all.",
    ),
    Setting(
        "ARCHIVE_MCP_TIMEZONE",
        "Time zone",
        "the zone of a plain day, for example `Europe/Berlin`",
        default="UTC",
    ),
    Setting(
        "ARCHIVE_MCP_EMV_UNIT",
        "Unit of earned media value",
        "the unit in which Archive gives a post's earned media value: `cents`, as its schema says, "
        "or `dollars`",
        kind="choice",
        default="cents, named as assumed",
        choices=get_args(EmvUnit),
    ),
    Setting(
        "ARCHIVE_MCP_STATE_DIR",
        "State folder",
        "the shared pace and the journal of jobs; no token",
        kind="folder",
        default="the platform's state folder",
        help="Where the shared pace and the journal of jobs are kept; no token is in them.",
    ),
    Setting(
        "ARCHIVE_MCP_EXPORT_DIR",
        "Export folder",
        "the only folder that exports and charts are written to",
        kind="folder",
        default="`~/archive-mcp-exports`",
        asked=True,
        help="The only folder that exports and charts are written to. Left empty: "
        "archive-mcp-exports in your home folder.",
    ),
    Setting(
        "ARCHIVE_MCP_AUDIT_LOG",
        "Audit log",
        "a file that each change is recorded in before it is sent, without texts of posts; "
        "`archive-mcp audit` shows it",
        kind="file",
    ),
    Setting(
        "ARCHIVE_MCP_ALLOW_INSECURE",
        "Allow insecure",
        "permits plain http to another machine",
        kind="switch",
        default="off",
    ),
    Setting(
        "ARCHIVE_MCP_LOG_LEVEL",
        "Log level",
        "logs go to stderr",
        default="`WARNING`",
        flag="--log-level",
        help="DEBUG, INFO, WARNING or ERROR; logs go to stderr.",
    ),
)
