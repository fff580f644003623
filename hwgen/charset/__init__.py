"""Characters as components and structure: Ideographic Description Sequences, the frozen dictionary, text
to ids and back.
"""
