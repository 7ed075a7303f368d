"""The draw with one large network among single people: places at the front, by heads and by weight.

python -m benchmarks.draw_weights [--draws 200] [--others 5000] [--front 600]
"""

import argparse
import random
from collections.abc import Sequence

from domain.waiting_room import drawn_place, entry_id_of, weight_class_at
from kit.ids import new_uuid
from waiting_room.store import ACCOUNT_COST, GUEST_COST, SHARE_POINTS

CROWDS = (
    ("60 guests", 60, GUEST_COST),
    ("240 guests", 240, GUEST_COST),
    ("1,000 guests (a farm)", 1000, GUEST_COST),
    ("5,000 guests (a farm)", 5000, GUEST_COST),
    ("1,000 verified accounts (a hall)", 1000, ACCOUNT_COST),
)


def classes_of(people: int, cost: int) -> list[int]:
    """The weight classes of the accounts of one network, in the order in which they join."""
    return [weight_class_at(cost * number, SHARE_POINTS) for number in range(1, people + 1)]


def front_places(classes: Sequence[int], others: int, front: int, seed: bytes) -> int:
    """The places at the front that the network gets in one draw."""
    event_id = new_uuid()
    ids = [entry_id_of(event_id, new_uuid()) for _ in range(len(classes) + others)]
    network = [(drawn_place(seed, one, each), True) for one, each in zip(ids, classes, strict=False)]
    alone = [(drawn_place(seed, one), False) for one in ids[len(classes) :]]
    return sum(of_network for _, of_network in sorted(network + alone)[:front])


def main() -> None:
    """Print one line of the table for each crowd."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--others", type=int, default=5000)
    parser.add_argument("--front", type=int, default=600)
    arguments = parser.parse_args()
    chance = random.Random(18)
    for name, people, cost in CROWDS:
        classes = classes_of(people, cost)
        weight = sum(1 / (1 << each) for each in classes)
        heads, weighted = (
            sum(
                front_places(some, arguments.others, arguments.front, chance.randbytes(32))
                for _ in range(arguments.draws)
            )
            / arguments.draws
            for some in ([0] * people, classes)
        )
        print(f"| {name} | {weight:.0f} | {heads:.0f} | {weighted:.0f} | {weighted / people:.1%} |")


if __name__ == "__main__":
    main()
