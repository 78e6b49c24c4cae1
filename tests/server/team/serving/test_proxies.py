"""What a trusted proxy says of where a request comes from, and what others say."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from server.sandbox import TOKEN_SINGLE
from server.team.identity.archive_token import MOST_TRIED
from tests.support.team.people import make_team
from tests.support.team.wire import Wire, listen, message

POLICY = "[own_tokens]\nread_only = true\n"
FLOOD, NEWCOMER = "198.51.100.7", "203.0.113.9"


def sign_in(wire: Wire, token: str, address: str) -> bytes:
    return wire.request(
        message(),
        headers={
            "authorization": f"Bearer {token}",
            "mcp_protocol_version": "2026-07-28",
            "mcp_method": "tools/list",
            "x_forwarded_for": address,
            "x_forwarded_proto": "https",
        },
    )


async def _flood(wire: Wire) -> list[int]:
    requests = [sign_in(wire, f"made-up-token-{number:06}", FLOOD) for number in range(40)]
    return [await wire.status(request) for request in requests]


async def test_a_flood_of_made_up_tokens_delays_only_its_own_address(tmp_path: Path) -> None:
    team = make_team(tmp_path, POLICY, trusted_proxies=(ip_network("127.0.0.1/32"),))
    async with listen(team, tmp_path) as wire:
        statuses = await _flood(wire)
        newcomer = await wire.status(sign_in(wire, TOKEN_SINGLE, NEWCOMER))
        neighbour = await wire.status(sign_in(wire, f"{TOKEN_SINGLE}-other", FLOOD))

    assert statuses == [401] * (MOST_TRIED // 2) + [429] * (40 - MOST_TRIED // 2)
    assert (newcomer, neighbour) == (200, 429)


async def test_without_a_trusted_proxy_nobody_gives_themselves_another_address(
    tmp_path: Path,
) -> None:
    async with listen(make_team(tmp_path, POLICY), tmp_path) as wire:
        await _flood(wire)
        status = await wire.status(sign_in(wire, TOKEN_SINGLE, NEWCOMER))

    assert status == 429
