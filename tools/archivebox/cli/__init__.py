"""ArchiveBox's commands over REST."""
