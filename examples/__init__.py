"""Programs that show taskito at work. Each is run from a checkout; none is installed."""
