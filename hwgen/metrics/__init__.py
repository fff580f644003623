"""Measures of what is written and read. They take arrays and strings, never models."""
