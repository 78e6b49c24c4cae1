"""What is remembered of a principal between calls, each part behind a protocol."""

from server.shared_state.state import SharedState

__all__ = ["SharedState"]
