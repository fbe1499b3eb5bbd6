"""What the server has to offer: many documents that take a moment, a few that take long."""

import hashlib
import random
from dataclasses import dataclass

LATENCY_S = (0.05, 0.5)
BODY_BYTES = (1_000, 5_000)
LONG_PIECES = 200
SECONDS_BETWEEN_PIECES = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document.

    Attributes:
        path: where it is.
        latency_s: how long the server takes before it answers.
        piece: what it sends.
        pieces: how often it sends that; a long document comes in many pieces.
    """

    path: str
    latency_s: float
    piece: bytes
    pieces: int

    @property
    def is_long(self) -> bool:
        """Whether it takes so long that one may not want to wait."""
        return self.pieces > 1

    @property
    def length(self) -> int:
        """Bytes in all."""
        return len(self.piece) * self.pieces

    @property
    def checksum(self) -> str:
        """What a client must come to."""
        return hashlib.sha256(self.piece * self.pieces).hexdigest()


def make(number: int, *, long: int, seed: int) -> list[Document]:
    """Make up so many documents; the same seed makes the same.

    Args:
        number: how many in all.
        long: how many of them are long, among the others at equal distances.
        seed: of the latencies and contents.
    """
    chance = random.Random(seed)
    documents: list[Document] = []
    for n in range(number):
        is_long = (n + 1) * long // number > n * long // number
        documents.append(
            Document(
                path=f"/{'long' if is_long else 'short'}/{n}",
                latency_s=chance.uniform(*LATENCY_S),
                piece=chance.randbytes(chance.randint(*BODY_BYTES)),
                pieces=LONG_PIECES if is_long else 1,
            )
        )
    return documents
