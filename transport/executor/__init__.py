"""A compiled executor: for each operation, closures that resolve and complete its selection.

The closures stand in for graphql-core's walk over the tree. The state of a run is graphql-core's
own Executor, made when something needs it: it collects the errors, builds the resolve info, and
completes the values of rare shapes (async iterables, awaitable types), so that there is one
account of what GraphQL means and this package only knows how to get there quicker.
"""

from .compiled import CompiledExecutor
from .runs import Running

__all__ = ["CompiledExecutor", "Running"]
