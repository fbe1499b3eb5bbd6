"""A data pipeline: fan out over files, fan in to a summary, fan out to reports, publish."""
