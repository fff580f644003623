"""Writing with a trained generator: text and style to images, pages, files; a style from the image of a
line.
"""
