"""Tools that start long work in ArchiveBox."""
