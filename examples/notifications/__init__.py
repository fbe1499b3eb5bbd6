"""A notification service: schedules, limits for each customer, and a provider that is flaky."""
