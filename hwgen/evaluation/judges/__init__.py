"""What judges what was written: a feature space, readers, and the errors of single characters."""
