"""The made-up records of the Archive sandbox."""
