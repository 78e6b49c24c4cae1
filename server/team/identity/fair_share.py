"""A number of events a minute that many addresses share, so that none can use up all of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0
# What one customer of a provider gets of IPv6: all of it is one caller.
_IPV6_PREFIX = 64


@dataclass(frozen=True)
class _Event:
    address: str
    at: float


class FairShare:
    """Admits events of addresses.

    An address may only have as many in the last minute as are left for everybody. So one that takes
    all it can get leaves half to the others, two leave a third each, and so on; a newcomer is kept
    out only by as many addresses at once as there are events a minute.

    Args:
        most: events a minute of all addresses together.
        clock: monotonic seconds.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._events: list[_Event] = []

    def admit(self, address: str) -> bool:
        """Return whether an address may have one more event now, which then counts.

        Args:
            address: of the caller; "" for all of whom none is known.
        """
        now = self._clock()
        self._events = [event for event in self._events if now - event.at < WINDOW_SECONDS]
        caller = _find_caller(address)
        own = sum(event.address == caller for event in self._events)
        if own >= self._most - len(self._events):
            return False
        self._events.append(_Event(caller, now))
        return True


def _find_caller(address: str) -> str:
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(number, ipaddress.IPv4Address):
        return str(number)
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return str(ipaddress.ip_network((int(number), _IPV6_PREFIX), strict=False))
