"""Readers of foreign formats, one a file: each a generator of named tuples."""
