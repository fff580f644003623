"""Readers of foreign formats: a file has one, with its `Format`. Nothing heavy is imported here before it is
used: the help of `bin/prepare` names them all.
"""
