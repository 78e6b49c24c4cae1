"""Long work of a team: its journal in PostgreSQL, its queue, and the workers that do it."""
