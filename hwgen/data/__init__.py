"""Lines of handwriting: the record schema, readers of foreign formats, the embedded corpus and the input
pipeline.
"""
