"""A team's server: two replicas, fifty people, five workspaces."""
