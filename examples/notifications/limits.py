"""What the provider allows."""

TENANT_RATE, TENANT_AT_ONCE = 4, 2
"""Each customer: messages per second, and at once."""

MAIL_RATE, MAIL_AT_ONCE = 40, 5
"""The whole service."""
