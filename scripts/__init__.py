"""Scripts for work on the code; nothing here runs in the server."""
