"""What writes and is compared: pictures of other systems, a simulator from fonts."""
