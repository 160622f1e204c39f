"""Guestlist and its peers, each run as its documentation says."""
