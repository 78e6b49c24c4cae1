"""The Archive (archive.com) backend: typed GraphQL requests, the client, its failures, the
workspace resolver."""
