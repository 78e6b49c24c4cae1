"""One shared pace for everything that is sent to an API.

    async with limiter.slot(key, operation="items", cost=60, deadline=deadline) as slot:
        response = await send(...)
        slot.report_answer(response.status_code, response.headers)

`Limiter` and `Slot` are what callers rely on; `Pacer` is the implementation for all processes of
one user on one machine. Another backend only has to fit behind the two protocols.
"""

from server.limiter.cap import ConcurrencyCap
from server.limiter.interface import (
    Admit,
    Lane,
    Limiter,
    Slot,
    Snapshot,
    state_key,
)
from server.limiter.pacer import Pacer

__all__ = ["Admit", "ConcurrencyCap", "Lane", "Limiter", "Pacer", "Slot", "Snapshot", "state_key"]
