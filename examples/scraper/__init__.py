"""A web scraper: one durable job per page, each page fetched once, whatever goes wrong."""
