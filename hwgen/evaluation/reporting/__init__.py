"""Figures of several seeds, their file, their page and its pictures."""
