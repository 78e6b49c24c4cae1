"""One server for a team, over HTTP and on many machines; a server over stdio imports none of it."""
