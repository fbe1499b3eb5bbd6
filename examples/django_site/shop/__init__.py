"""A site and its only application. Everything it keeps is in the folder ``data``."""
