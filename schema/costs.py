"""What operations cost where a document does not tell: lists that nothing bounds, and introspection."""

# By "Type.field": how long the list is; 10 where nothing is said.
LIST_SIZES: dict[str, int] = {
    "Section.seats": 100,
}
# By "Type.field": what it counts for; 1 where nothing is said. The lists of introspection count once, so
# that whole introspection is no dearer than this: once in a document.
WEIGHTS: dict[str, int] = {
    "Query.__schema": 12_000,
    "Query.__type": 2_000,
}
