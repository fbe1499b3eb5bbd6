"""Sales that this program makes up, as the shops send them: with the usual dirt."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADER = "receipt,day,product,quantity,cents"
PRODUCTS = ("apples", "bread", "cheese", "dates", "eggs", "flour")
DAYS = tuple(f"2026-03-{day:02}" for day in range(1, 15))
DIRT = 0.05
"""The share of sales that arrive with a line that must not count."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One line of a receipt, as it happened.

    Attributes:
        receipt: its number in the shop.
        day: when it was.
        product: what was sold.
        quantity: how many.
        cents: the price of all of them.
    """

    receipt: int
    day: str
    product: str
    quantity: int
    cents: int

    def __str__(self) -> str:
        return f"{self.receipt},{self.day},{self.product},{self.quantity},{self.cents}"


class Shop:
    """One shop: what it sold, and the file that it sends.

    Attributes:
        name: of the shop.
        sales: the truth, which no task gets to see.
    """

    def __init__(self, name: str, sales: int, seed: int) -> None:
        self._random = random.Random(f"{seed} {name}")
        self.name = name
        self.sales = [self._sale(receipt) for receipt in range(sales)]

    def send(self, folder: Path, *, broken: bool) -> Path:
        """Write the file of this shop; a broken one ends early and has no header."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.name}.csv"
        lines = [HEADER, *self._lines()]
        if broken:
            lines = lines[1 : len(lines) // 2]
        path.write_text("\n".join(lines) + "\n")
        return path

    def _sale(self, receipt: int) -> Sale:
        choose = self._random
        quantity = choose.randint(1, 9)
        return Sale(
            receipt, choose.choice(DAYS), choose.choice(PRODUCTS), quantity,
            quantity * choose.randint(50, 900),
        )  # fmt: skip

    def _lines(self) -> Iterator[str]:
        for sale in self.sales:
            yield str(sale)
            if self._random.random() < DIRT:
                yield self._random.choice((str(sale), "", f"{sale.receipt},,,n/a,", "# till 2"))
