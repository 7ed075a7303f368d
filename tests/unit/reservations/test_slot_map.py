"""The map of a cluster is right whichever of its nodes are asked, in any order."""

from itertools import permutations

from reservations.cluster import slot_of
from reservations.slot_map import SlotMap, SlotRange, ranges_from, slot_map_of

OLD, NEW, OTHER = ("10.0.0.1", 7001), ("10.0.0.2", 7002), ("10.0.0.3", 7003)


def test_the_higher_epoch_is_right_in_any_order_of_the_views() -> None:
    behind = [SlotRange(0, 8191, OLD, 1), SlotRange(8192, 16383, OTHER, 2)]
    ahead = [SlotRange(0, 8191, NEW, 4), SlotRange(8192, 16383, OTHER, 2)]

    for views in permutations([behind, ahead, behind]):
        found = slot_map_of(views)
        assert (found.owner(0), found.owner(8191), found.owner(8192)) == (NEW, NEW, OTHER)
        assert found.primaries == [NEW, OTHER]


def test_a_slot_that_nobody_serves_has_no_owner() -> None:
    found = slot_map_of([[SlotRange(1, 2, OLD, 1)]])

    assert [found.owner(slot) for slot in range(4)] == [None, OLD, OLD, None]


def test_a_redirected_slot_has_its_new_owner_at_once() -> None:
    found = slot_map_of([[SlotRange(0, 16383, OLD, 1)]])

    found.move(866, NEW)

    assert (found.owner(866), found.owner(867), found.primaries) == (NEW, OLD, [OLD, NEW])
    assert SlotMap().primaries == []


def test_a_view_has_the_addresses_for_clients_and_the_epochs() -> None:
    nodes = (
        b"aa 10.9.9.1:6379@16379 myself,master - 0 0 7 connected 0-100\n"
        b"bb 10.9.9.2:6379@16379,host-b master - 0 0 9 connected 101-16383\n"
        b"cc 10.9.9.3:6379@16379 slave bb 0 0 9 connected\n"
    )
    slots = [[0, 100, [b"", 6379, b"aa"]], [101, 16383, [b"host-b", 6380, b"bb"], [b"host-c", 6379, b"cc"]]]

    assert ranges_from(slots, nodes, ("seed", 1)) == [
        SlotRange(0, 100, ("seed", 6379), 7),
        SlotRange(101, 16383, ("host-b", 6380), 9),
    ]


def test_a_script_is_sent_to_the_slot_of_its_first_key() -> None:
    assert slot_of(("EVALSHA", "digest", 2, "bo:{x}:places", "bo:{x}:meta", 5)) == slot_of(("GET", b"{x}"))
