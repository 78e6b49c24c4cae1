"""Reading what was archived: which files of a saved page hold its text, and what they say."""
