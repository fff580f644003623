"""Foreign formats of handwriting: what they are called and how they are found (`format`, `registry`), their
readers, one a file (`readers`), and what these are made of.
"""
