"""Puts together everything that a server for a team holds while it runs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from server.archive.client import Archive, Call
from server.http.client import Http
from server.limiter import Limiter, Pacer
from server.services import USER_AGENT
from server.settings import Secret, Settings
from server.team.building import (
    MakeParts,
    MemoryParts,
    Surroundings,
    TenantBuilder,
    make_surroundings,
)
from server.team.files.downloads import Downloads
from server.team.files.team_files import TeamFiles
from server.team.identity import SignIn
from server.team.identity.archive_token import ArchiveTokenSignIn
from server.team.identity.issuer_keys import IssuerKeys, Web
from server.team.identity.issuer_web import IssuerWeb
from server.team.identity.oidc import OidcSignIn
from server.team.identity.trial import TrialSignIn
from server.team.jobs.opening import queue_jobs
from server.team.observing import RefusalAudit, open_observing
from server.team.policy.current import CurrentPolicy, call_on_hangup, read_team_policy
from server.team.serving.app import App
from server.team.serving.endpoint import McpEndpoint
from server.team.settings import TeamSettings
from server.team.store.opening import TeamStore
from server.team.store.parts import StoredParts
from server.team.tenant import Shared
from server.team.tenants import Tenants

log = logging.getLogger("archive_mcp.team")

_VERIFY_SECONDS = 20.0
# The least that proves a token; `server` knows no tool.
_VERIFY = "query Workspaces($first: Int) { workspaces(first: $first) { nodes { id } } }"


class Front:
    """Answers HTTP, and holds what that takes.

    Args:
        base: the settings of the server, of which people get what is not in their rights.
        shared: what is the same for all people.
        make_parts: makes what a person's services remember with, instead of this process's memory.
        limiter: paces the requests of all people, instead of the one of this machine.
        surroundings: stands in the place of the network, instead of the sandbox of the settings.
        web: reads the issuer's keys, instead of the network.

    Raises:
        SettingsError: the policy has a mistake.
    """

    def __init__(
        self,
        base: Settings,
        team: TeamSettings,
        shared: Shared,
        *,
        make_parts: MakeParts | None = None,
        limiter: Limiter | None = None,
        surroundings: Surroundings | None = None,
        web: Web | None = None,
    ) -> None:
        self._base = base
        self._team = team
        self._toolsets = frozenset(shared.catalog.list_toolsets())
        self.policy = CurrentPolicy(partial(read_team_policy, team, self._toolsets))
        self._surroundings = surroundings or make_surroundings(base)
        self._stack = AsyncExitStack()
        self._store = TeamStore(team) if team.database_url else None
        self._limiter = limiter or self._make_limiter()
        parts = make_parts or self._make_parts()
        self._files = TeamFiles(base, team, self.policy)
        database = self._store.database if self._store else None
        self._observing = observing = open_observing(base, team, database)
        builder = TenantBuilder(
            base, shared, parts, self._limiter, self._files, self._surroundings, observing
        )
        limits = team.limits
        self.tenants = Tenants(builder, most=limits.people, idle_seconds=limits.idle_seconds)
        self._web = web or self._open_web()
        refusals = RefusalAudit(observing.audit_log)
        endpoint = McpEndpoint(
            team,
            self._make_sign_in(),
            self.policy,
            self.tenants,
            self._toolsets,
            refusals,
        )
        downloads = Downloads(self._files.store, self._files.links, observing.audit_log, refusals)
        self.app = App(team, endpoint, self.open, self._check, [downloads.make_route()])

    def reload(self) -> None:
        """Read the policy again; whoever lost a right loses what ran with it."""
        if self.policy.reload():
            closed = self.tenants.close_changed(self.policy().find)
            log.warning("the connections of %d people were closed", closed)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Hold what the app needs, and read the policy again on SIGHUP."""
        async with self._stack:
            if self._store is not None:
                await self._stack.enter_async_context(self._store)
                counting = self._observing.count_jobs(self._store.database)
                await self._stack.enter_async_context(counting)
            await self._stack.enter_async_context(self._files.tidy())
            await self._stack.enter_async_context(self.tenants)
            with call_on_hangup(self.reload):
                yield

    async def _check(self) -> str:
        return "" if self._store is None else await self._store.find_problem()

    def _make_parts(self) -> MakeParts:
        if self._store is None:
            return MemoryParts(self._team.state_keys)
        keys = self._team.state_keys
        queued = queue_jobs(self._store.database, self._store.queue, keys)
        return StoredParts(self._store.database, keys, queued)

    def _make_limiter(self) -> Pacer:
        from server.limiter import Pacer

        if self._store is not None:
            return self._store.limiter
        pacer = Pacer(None if self._base.sandbox else self._base.state_dir)
        self._stack.callback(pacer.close)
        return pacer

    def _open_web(self) -> IssuerWeb:
        web = IssuerWeb(self._base.ca_bundle)
        self._stack.push_async_exit(web)
        return web

    def _make_sign_in(self) -> SignIn | TrialSignIn:
        if self._team.policy is None:
            return TrialSignIn()
        oidc = self._team.oidc
        return SignIn(
            self.policy,
            oidc=OidcSignIn(oidc, IssuerKeys(oidc, self._web)) if oidc else None,
            own_tokens=ArchiveTokenSignIn(self._verify),
        )

    async def _verify(self, token: Secret) -> None:
        """Ask Archive for something small with a token.

        Raises:
            Failure: it is not valid, or Archive does not answer.
        """
        sandbox = self._surroundings.sandbox
        in_process = sandbox.handle if sandbox else None
        base = self._base
        async with Http(
            base.api_url, "Archive", in_process=in_process, ca_bundle=base.ca_bundle
        ) as http:
            archive = Archive(
                url=base.api_url,
                token=token.reveal(),
                http=http,
                limiter=self._limiter,
                user_agent=USER_AGENT,
            )
            deadline = archive.now() + _VERIFY_SECONDS
            await archive.execute(Call("workspaces", _VERIFY, {"first": 1}, None, 5, deadline))
