"""What each protocol measures."""
