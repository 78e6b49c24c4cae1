"""What runs: the process, settings, the API clients, the limiter, the resolver and the sandbox."""

__version__ = "0.1.0"
