"""The scribe: an embedded corpus of handwriting, written by simulated writers with open fonts."""
