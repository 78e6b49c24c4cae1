"""The icon that hosts show beside the server's name: a box with a lid, 64 by 64 pixels."""

from __future__ import annotations

from mcp_types import Icon

# Beside the code and small, because it goes out with the first answer of each start; as PNG, which
# all hosts show.
_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAAB0klEQVR42u2bMUvDQBiG+xP6D/wDCpmdMlqcdXHroFmE"
    "giAdAy4FhzoW94Kri2twEVwsGRwEHcRFXTI4OH7mlXYpTXpJk9zl7j14t8vd9z53l9yF+zodFhalsuUHXqowVZQqSSWG"
    "KZnHhhi9Ko3784alZULM/ibGu6nGLTS+LHjoljE/s8D8QjNlCBaaLwbBkmmfuRxUXnhiufw8AJEDAKK877w4Im8VgNAh"
    "AKGr0z97GRi6va1t27wKgLgkAtgEwE4vkLPzExmPzBBiQUyNAEBHz3fHIrFZQkxFIJQGANqmmV8IsdUOAFPOVACIjQAI"
    "gAAIgADqBNA7CowFgNga2Qnie/sRmWMcsRTZA/AsQAAVAhhcTOT17UV+f74aFfpE31oB7PXDxo0vCzFoA3B5faMdAGIg"
    "AAJoAYDvz3eZTG//n8kT6qCudQB2D4fK7aKuVQDuHx4Lt41nrAGAKb29P1BuF3VVl0FrlgBGtD+8koPTUa5QR3X0+RUg"
    "AAIgAAIgAAIgAALQBQC/pHQDKPtbrBIA2LM/xbE28+i7yBljHYCkLASMwrpzftVCn2XNZ12Scv6anPMXJd2+Kuv8ZWle"
    "l2fCBFNmmDTFtDkmTjJ1lsW18gdBQopw73rDNgAAAABJRU5ErkJggg=="
)

ICON = Icon(src=f"data:image/png;base64,{_PNG}", mime_type="image/png", sizes=["64x64"])
