"""What the ArchiveBox sandbox holds: pages, outputs, settings."""
