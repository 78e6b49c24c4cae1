"""The tools that are about this server itself; a module is a domain."""
