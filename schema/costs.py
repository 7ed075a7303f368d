"""The costs that a document does not show: of lists without a bound, and of introspection."""

# By "Type.field": the assumed length of the list; 10 by default.
LIST_SIZES: dict[str, int] = {
    "Section.seats": 100,
}
# The root fields that ask the search engine, and how many of them an operation may have.
ENGINE_FIELDS = frozenset({"searchEvents", "suggest"})
MOST_ENGINE_FIELDS = 4
# By "Type.field": its cost; 1 by default. The lists of introspection count once, so that all of it costs
# no more than this, once in a document.
WEIGHTS: dict[str, int] = {
    "Query.searchEvents": 300,  # a search of the engine takes as long as some hundreds of fields
    "Query.suggest": 150,
    "Query.challenge": 10,  # a signature and two counters
    "Payment.nextStep": 50,  # a call of the payment gateway
    "Query.__schema": 12_000,
    "Query.__type": 2_000,
}
