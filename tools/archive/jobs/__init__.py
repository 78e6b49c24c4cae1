"""Tools that start long work in Archive."""
