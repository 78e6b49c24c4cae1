"""The MCP resources of this server."""
