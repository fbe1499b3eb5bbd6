"""Inputs near those of a corpus: the same seed makes the same."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"

TOKENS = [
    *(b"0", b"-1", b"1", b"-", b"+", b".", b"1e309", b"nan", b"inf", b"0x1f", b"1_0"),
    *(b"2147483647", b"2147483648", b"9223372036854775807", b"9223372036854775808"),
    *(b"-9223372036854775808", b"18446744073709551616", b"253402300800000"),
    *(b"\x00", b"\n", b"\t", b" ", b"\xff", b"\xc2\xa0", b"\xe2\x98\x83", b"\xed\xa0\x80"),
    *(b"\xd9\xa3", b"'", b'"', b"\\", b"%", b"/", b"..", b"*", b"?", b"@", b",", b":", b"|"),
    *(b"{", b"}", b"[", b"]", b"null", b"true", b"--", b"$", b"`", b"<b>"),
]
"""What parsers tend to stumble over."""

LONG = 500
"""How often something is repeated, at most."""


def corpus(target: str) -> list[bytes]:
    """The kept inputs of a target: one a line, with Python's escapes."""
    lines = (CORPUS / f"{target}.txt").read_text(encoding="ascii").split("\n")[:-1]
    return [line.encode().decode("unicode_escape").encode("latin-1") for line in lines]


def inputs(target: str, seed: int) -> Iterator[bytes]:
    """The corpus, then inputs without end that were made from it."""
    kept = corpus(target)
    yield from kept
    draw = random.Random(f"{target} {seed}")
    while True:
        data = draw.choice(kept)
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
            data = _changed(data, kept, draw)
        yield data


def _changed(data: bytes, kept: Sequence[bytes], draw: random.Random) -> bytes:
    start, end = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    before, piece, after = data[:start], data[start:end], data[end:]
    match draw.randrange(7):
        case 0:  # another byte
            piece, after = draw.randbytes(1), data[start + 1 :]
        case 1:  # nothing
            piece = b""
        case 2:  # the same once more, or very often
            piece = (piece or b"1")[:8] * draw.choice((2, draw.randrange(LONG)))
        case 3:  # something from another input
            other = draw.choice(kept)
            piece = other[draw.randrange(len(other) + 1) :]
        case 4:  # with a flipped bit
            piece = bytes([byte ^ 1 << draw.randrange(8) for byte in piece[:1]]) + piece[1:]
        case 5:  # a token
            piece = draw.choice(TOKENS)
        case _:  # a token in front
            piece = draw.choice(TOKENS) + piece
    return before + piece + after
