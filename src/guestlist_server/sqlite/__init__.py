"""SQLite, for a server with several threads."""
