"""What resolvers find in `info.context`: resolvers.context.Context, made anew for each operation."""

from typing import TypeAlias

import strawberry

from resolvers.context import Context

Info: TypeAlias = strawberry.Info[Context, None]

__all__ = ["Context", "Info"]
