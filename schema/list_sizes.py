"""How long the lists are that nothing in a document bounds, for the cost of operations."""

# By "Type.field"; 10 where nothing is said.
LIST_SIZES: dict[str, int] = {
    "Section.seats": 100,
}
