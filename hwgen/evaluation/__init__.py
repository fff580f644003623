"""What a trained model is worth: protocols that measure it, and reports of what they found."""
