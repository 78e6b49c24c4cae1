"""The one place that talks MCP: handlers, questions to the user, the stdio transport, and the
scripted demo client."""
