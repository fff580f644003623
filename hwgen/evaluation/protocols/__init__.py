"""The protocols that ship: one class a file, found by `registry`. Imported without NumPy: help is instant."""
