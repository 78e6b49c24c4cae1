"""Tools for saved views and their groups."""
