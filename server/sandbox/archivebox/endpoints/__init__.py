"""How the ArchiveBox sandbox answers each endpoint."""
