"""A hand of one's own: read from pictures of its lines, or learned from them."""
