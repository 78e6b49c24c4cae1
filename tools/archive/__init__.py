"""The tools of the Archive (archive.com) backend; a module is a domain."""
