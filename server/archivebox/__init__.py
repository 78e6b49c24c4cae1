"""The ArchiveBox backend: typed REST requests over servers whose API differs from version to
version."""
