"""`archive-mcp team demo`: a whole team's server on this computer, over made-up data.

postgres    a PostgreSQL of its own, from the programs of this computer
processes   sandbox, servers and workers, each a process that may be killed
play        two people work, a server and a worker die, and nothing is lost
"""
