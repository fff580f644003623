"""hwgen writes Chinese by hand: text in, images of handwritten lines out, in endless styles, characters of
no font included.
"""

__version__ = '0.1.0'
