"""What the replicas of a team's server share, in PostgreSQL (the pace also in Redis)."""
