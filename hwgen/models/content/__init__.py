"""How characters enter the generator: one encoding a file, over one class (`encoder.py`); `encodings.py` has
the table of them.
"""
