"""The tools of the ArchiveBox backend; a module is a domain."""
