"""Losses of hwgen: each returns per-example values; the trainer reduces once, by the global batch."""
