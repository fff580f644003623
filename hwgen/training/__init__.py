"""Training: the steps (maths), the one outer loop, checkpoints, summaries and distribution."""
