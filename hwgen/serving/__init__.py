"""Serving: a generator as a SavedModel that TF-Serving loads as it is, the dialect of its REST answers,
and the client.
"""
