"""Which records a request means: filters, conditions and searches, read as the real API does."""
