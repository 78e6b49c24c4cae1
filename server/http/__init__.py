"""The HTTP client: the only folder that sends requests to other servers."""
