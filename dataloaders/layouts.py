"""Seat maps by version."""

from collections.abc import Sequence
from typing import Protocol

from strawberry.dataloader import DataLoader

from domain.layout import SeatMap


class Layouts(Protocol):
    """The process-wide cache of seat maps, in front of the database."""

    async def many(self, versions: Sequence[str]) -> dict[str, SeatMap]:
        """The seat maps of these versions."""


def layouts_loader(layouts: Layouts) -> DataLoader[str, SeatMap]:
    """One query for all the maps of a batch that the process does not hold yet."""

    async def load(versions: Sequence[str]) -> list[SeatMap]:
        found = await layouts.many(versions)
        return [found[version] for version in versions]

    return DataLoader(load)
