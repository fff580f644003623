"""The splits of held-out lines, and what the names of figures call them. Imported without NumPy."""

# Characters that had images in training, and characters that had none. The writers are new in both.
SPLITS = {'test': 'seen', 'unseen': 'unseen'}
