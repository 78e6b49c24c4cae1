"""The objects that Archive takes and returns."""
