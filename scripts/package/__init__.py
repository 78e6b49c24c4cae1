"""Build, validate and start every package: `python -m scripts.package`."""
