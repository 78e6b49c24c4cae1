"""Makes a person's tenant: their settings, their services and their state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from server.http.transport import InProcess
from server.limiter import Limiter
from server.recovery import Recovery
from server.services import Services
from server.settings import Settings, SettingsError
from server.shared_state import SharedState
from server.team.files.exports import PEOPLE, make_digest
from server.team.files.team_files import TeamFiles
from server.team.observing import Observing
from server.team.policy import Access, Identity, Rights
from server.team.spending import make_spending
from server.team.tenant import Shared, Tenant
from server.team.workspaces import RestrictedArchive
from server.tool.catalog import Catalog

if TYPE_CHECKING:
    from server.sandbox import Sandbox
    from server.services import OpenJobs

# People whose state is remembered after their tenant has closed.
_MOST_STATES = 10_000


@dataclass(frozen=True)
class Parts:
    """What a person's services are made with where it is not the memory of this process.

    Args:
        state: what is remembered of them.
        open_jobs: opens their jobs.
    """

    state: SharedState
    open_jobs: OpenJobs | None = None


# Returns the parts for somebody with these rights and settings.
MakeParts = Callable[[Identity, Rights, Settings], Parts]


class MemoryParts:
    """The state of each person in the memory of this process, also while their tenant is closed.

    Args:
        keys: what seals the state of questions.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = keys
        self._states: OrderedDict[str, tuple[Rights, SharedState]] = OrderedDict()

    def __call__(self, identity: Identity, rights: Rights, settings: Settings) -> Parts:
        """Return the parts of somebody; what counts credits follows their rights."""
        key = identity.principal.id
        existing = self._states.get(key)
        if existing is None or _limits(existing[0]) != _limits(rights):
            self._states[key] = (rights, self._make(rights, existing))
        self._states.move_to_end(key)
        while len(self._states) > _MOST_STATES:
            self._states.popitem(last=False)
        return Parts(self._states[key][1])

    def _make(self, rights: Rights, existing: tuple[Rights, SharedState] | None) -> SharedState:
        base = existing[1] if existing else SharedState(keys=self._keys)
        spending = make_spending(may_spend=rights.may_spend, per_day=rights.credits_a_day)
        return replace(base, spending=spending)


@dataclass(frozen=True)
class Surroundings:
    """What stands in the place of the network in the sandbox: the same for all people."""

    sandbox: Sandbox | None = None
    archivebox: InProcess | None = None


class TenantBuilder:
    """Makes tenants.

    Args:
        base: the settings of the server, of which people get what is not in their rights.
        limiter: paces the requests of all people together.
        files: keeps what people export.
    """

    def __init__(
        self,
        base: Settings,
        shared: Shared,
        make_parts: MakeParts,
        limiter: Limiter,
        files: TeamFiles,
        surroundings: Surroundings | None = None,
        observing: Observing | None = None,
    ) -> None:
        _refuse_open_folder(base)
        self._base = base
        self._shared = shared
        self._make_parts = make_parts
        self._observing = observing or Observing()
        self._limiter = limiter
        self._files = files
        self._surroundings = surroundings or Surroundings()

    def __call__(self, identity: Identity, rights: Rights) -> Tenant:
        """Return the tenant of somebody, not started yet."""
        settings = make_settings(self._base, identity, rights)
        services = self.build_services(identity, rights, settings)
        watches = not settings.sandbox
        return Tenant(
            identity,
            rights,
            settings,
            services,
            self._shared,
            background=partial(_watch, settings.state_dir) if watches else None,
        )

    def build_services(self, identity: Identity, rights: Rights, settings: Settings) -> Services:
        """Return the services of somebody, not entered yet."""
        parts = self._make_parts(identity, rights, settings)
        make_archive = None
        if rights.workspaces is not None:
            make_archive = partial(RestrictedArchive, allowed=rights.workspaces)
        return Services(
            settings,
            principal=identity.principal,
            state=parts.state,
            limiter=self._limiter,
            sandbox=self._surroundings.sandbox,
            archivebox=self._surroundings.archivebox,
            open_jobs=parts.open_jobs,
            open_exports=partial(self._files.open_exports, identity, settings),
            make_archive=make_archive,
            telemetry=self._observing.telemetry,
            audit_log=self._observing.audit_log,
        )


def _refuse_open_folder(base: Settings) -> None:
    """Refuse an address that the working folder chose: people's secrets would go there.

    Raises:
        SettingsError: says where to set it instead.
    """
    if base.sources.get("ARCHIVE_API_URL") == "./.env":
        raise SettingsError(
            "ARCHIVE_API_URL comes from ./.env: for a team it must be set in the environment, "
            "because people's tokens are sent there."
        )


def make_settings(base: Settings, identity: Identity, rights: Rights) -> Settings:
    """Return the settings of somebody's services: none of the server's own secrets is in them."""
    archive, box = rights.archive or Access("", None), rights.archivebox or Access("", None)
    folder = Path(PEOPLE) / make_digest(identity.principal.id)
    return replace(
        base,
        token=archive.secret,
        workspace=None,
        archivebox_url=box.url,
        archivebox_key=box.secret,
        archivebox_username=None,
        archivebox_password=None,
        toolsets=rights.toolsets,
        read_only=rights.read_only,
        # Nobody's jobs and files are another's.
        state_dir=base.state_dir / folder,
        export_dir=base.export_dir / folder,
        # The server records for all of them.
        audit_log=None,
    )


async def _watch(state: Path, catalog: Catalog, services: Services) -> None:
    """Resume jobs that a stop of the server interrupted."""
    await Recovery(catalog, services).watch(state)


def _limits(rights: Rights) -> tuple[bool, int | None]:
    return rights.may_spend, rights.credits_a_day


def make_surroundings(base: Settings) -> Surroundings:
    """Return the sandbox that all people share, where the server is started with one."""
    if not base.sandbox:
        return Surroundings()
    from server.sandbox import Sandbox
    from server.sandbox.archivebox import ArchiveBoxSandbox

    return Surroundings(Sandbox(), ArchiveBoxSandbox(version=base.archivebox_version).handle)
