"""The pages: doors that parse, call one action, and show the result."""
