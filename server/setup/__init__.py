"""`archive-mcp setup`: store the secrets, add this server to the clients of this machine, try it.

Nothing is written before the user has seen it and said yes. Whatever goes wrong leaves a file as it
was; what was replaced has a backup beside it.
"""
