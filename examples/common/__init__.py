"""What every example needs and none is about: a screen, worker processes, exit statuses."""
