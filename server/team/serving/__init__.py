"""Serves people over HTTP: the app, its limits, and what it takes to start it."""
