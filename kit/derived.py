"""Results that are kept as long as the object that they were worked out from, and no longer."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

Source = TypeVar("Source")
Rest = ParamSpec("Rest")
Result = TypeVar("Result")


def kept_with_source(
    most: int = 1,
) -> Callable[[Callable[Concatenate[Source, Rest], Result]], Callable[Concatenate[Source, Rest], Result]]:
    """Remember the latest results of a pure function for each object that it is given first.

    `functools.lru_cache` would keep the object alive. The other arguments are given by position.

    Args:
        most: The most results for one object.
    """

    def decorate(
        function: Callable[Concatenate[Source, Rest], Result],
    ) -> Callable[Concatenate[Source, Rest], Result]:
        kept: WeakKeyDictionary[Source, OrderedDict[Hashable, Result]] = WeakKeyDictionary()

        @wraps(function)
        def remembering(source: Source, /, *rest: Rest.args, **named: Rest.kwargs) -> Result:
            results = kept.setdefault(source, OrderedDict())
            if rest in results:
                results.move_to_end(rest)
                return results[rest]
            result = results[rest] = function(source, *rest, **named)
            if len(results) > most:
                results.popitem(last=False)
            return result

        return remembering

    return decorate
