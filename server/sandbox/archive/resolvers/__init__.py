"""How the Archive sandbox answers each operation."""
