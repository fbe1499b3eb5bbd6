"""The pages: one module for each, from plain data to the facts its template shows."""
