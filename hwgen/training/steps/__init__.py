"""The training steps, one module each, over the base in `step.py`.

docs/extending.md shows how one is added.
"""
