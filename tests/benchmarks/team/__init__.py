"""A team's server: two replicas, fifty people, five workspaces."""

from tests.benchmarks.team.load import measure_load
from tests.benchmarks.team.overhead import measure_overhead

__all__ = ["measure_load", "measure_overhead"]
