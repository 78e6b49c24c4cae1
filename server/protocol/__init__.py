"""The one place that talks MCP: handlers, questions to the user, stdio and a scripted client."""
