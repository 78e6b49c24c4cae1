"""Tools for archived posts, and uploads."""
