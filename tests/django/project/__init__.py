"""A Django project that real commands, workers and servers of these tests run."""
