"""Measurements of the package as a user runs it: `make bench`."""
