"""Tools for saved pages."""
