"""Real services for the connectors to talk to, small enough to read, and a story to play."""
