"""What is sent: one message to one address, on behalf of one customer."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One notification.

    Attributes:
        ref: names it, for people and for the check.
        tenant: the customer on whose behalf it is sent.
        address: who gets it.
        text: what it says.
    """

    ref: str
    tenant: str
    address: str
    text: str

    def as_fields(self) -> dict[str, str]:
        """Return what travels to the provider."""
        return asdict(self)
