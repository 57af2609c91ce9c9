"""Keep one side's customers read and blocked, for records that are made later."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.canonical import Customer
from app.records.matching.block import Blocks, blocks
from app.records.matching.normalise import Card, read_side


@dataclass(frozen=True, slots=True)
class Index:
    """
    Hold one side's cards and their blocks; built once, asked often, never changed.

    Args:
        cards: In the order of their ids.
        blocks: Places in ``cards`` by blocking key.

    """

    cards: tuple[Card, ...]
    blocks: Blocks

    @classmethod
    def of(cls, customers: Iterable[Customer]) -> "Index":
        """Read and block one side's customers; about 40 microseconds a customer."""
        cards = read_side(customers)
        return cls(tuple(cards), blocks(cards))
