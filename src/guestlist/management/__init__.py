"""The command line in a project that has a `manage.py`."""
