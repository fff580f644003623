"""The protocols that ship: one class a file, found by `registry`. Imported without NumPy and TensorFlow, so that help is instant."""
