"""Commands that Django finds by the name of their module."""
