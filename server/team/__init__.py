"""One server for many people: Streamable HTTP, who is calling, and what each may do.

A server over stdio imports nothing of it.
"""
