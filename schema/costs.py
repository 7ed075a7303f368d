"""The costs that a document does not show: of lists without a bound, and of introspection."""

# By "Type.field": the assumed length of the list; 10 by default.
LIST_SIZES: dict[str, int] = {
    "Section.seats": 100,
}
# By "Type.field": its cost; 1 by default. The lists of introspection count once, so that all of it costs
# no more than this, once in a document.
WEIGHTS: dict[str, int] = {
    "Query.challenge": 10,  # a signature and two counters
    "Query.__schema": 12_000,
    "Query.__type": 2_000,
}
