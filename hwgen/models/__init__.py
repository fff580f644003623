"""Networks of hwgen: Keras subclassed models over integer and float tensors; they know no character
tables.
"""
