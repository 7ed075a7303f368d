"""A schema with everything an executor meets: failures, promises, unions, loaders, inputs."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.permission import BasePermission

BIG = 2**40


class Never(BasePermission):
    """Refuses everybody."""

    message = "never"

    def has_permission(self, source: Any, info: Any, **_: Any) -> bool:
        return False


@strawberry.enum
class Colour(enum.Enum):
    """A few names."""

    RED = "r"
    BLUE = "b"


@strawberry.interface
class Named:
    """What has a name."""

    name: str

    @strawberry.field
    def shout(self) -> str:
        """The name, loudly."""
        return self.name.upper()


@strawberry.input
class Wish:
    """An input with a default and a list."""

    size: int = 2
    tags: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class Cat(Named):
    """Implements the interface; much of it fails."""

    lives: int = 9
    colour: Colour = Colour.RED
    huge: int | None = BIG
    weight: float = 4.5
    awake: bool = True
    nothing: str | None = None
    wrong: strawberry.Private[str] = ""

    @strawberry.field
    async def friend(self, info: strawberry.Info[Any, None]) -> Animal | None:
        """Loaded in batches."""
        friend: Dog | None = await info.context.load(self.name)
        return friend

    @strawberry.field
    def broken(self) -> str:
        """Fails where null is not allowed."""
        raise ValueError(f"{self.name} broke")

    @strawberry.field
    async def broken_soon(self) -> str:
        """Fails where null is not allowed, while others still wait for their loaders."""
        await asyncio.sleep(0)
        raise ValueError(f"{self.name} broke soon")

    @strawberry.field
    async def cancelled(self) -> str | None:
        """Waits for something that another task cancels."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        future.cancel()
        return await future

    @strawberry.field
    async def waiting(self) -> str | None:
        """Waits for ever."""
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    @strawberry.field
    async def broken_later(self) -> str | None:
        """Fails where null is allowed, after a while."""
        await asyncio.sleep(0)
        raise ValueError(f"{self.name} broke later")

    @strawberry.field
    def kittens(self, wish: Wish | None = None, first: int = 2) -> list[Cat]:
        """A list of its kind."""
        count = wish.size + len(wish.tags) if wish else first
        return [Cat(name=f"{self.name}{n}") for n in range(max(0, min(count, 3)))]

    @strawberry.field
    def holes(self) -> list[Cat | None]:
        """A list with nothing in places."""
        return [None, Cat(name="hole")]

    @strawberry.field
    def strict_holes(self) -> list[str] | None:
        """A list with nothing where something has to be."""
        return ["a", None]  # type: ignore[list-item]

    @strawberry.field
    def path(self, info: strawberry.Info[Any, None]) -> list[str]:
        """Where the answer stands, as resolvers see it."""
        return [str(key) for key in info.path.as_list()] + [info.field_name, str(info.variable_values)]

    secret: str | None = strawberry.field(default="secret", permission_classes=[Never])


@strawberry.type
class Dog(Named):
    """Another member."""

    good: bool = True
    bones: list[int] = strawberry.field(default_factory=lambda: [1, 2, 3])
    missing: int = 1

    @strawberry.field
    async def owner(self, parent: strawberry.Parent[Any]) -> str | None:
        """Reads its parent by name."""
        await asyncio.sleep(0)
        return f"owner of {parent.name}"


@strawberry.type
class Label:
    """What a stranger passes for."""

    text: str | None = None
    size: int | None = None
    strict: str = ""


class Odd:
    """Has one of a label's attributes, which fails."""

    size = "7"

    @property
    def text(self) -> str:
        raise ValueError("the property broke")


Animal = Annotated[Cat | Dog, strawberry.union("Animal")]


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    def cat(self, name: str = "tom") -> Cat | None:
        """A cat; no cat has the name nobody."""
        return None if name == "nobody" else Cat(name=name)

    @strawberry.field
    async def animals(self, dogs: bool = False) -> list[Animal]:
        """Cats, or cats and dogs."""
        await asyncio.sleep(0)
        return [Cat(name="a"), Dog(name="b")] if dogs else [Cat(name="a")]

    @strawberry.field
    def named(self) -> list[Named]:
        """Both kinds behind the interface."""
        return [Dog(name="rex"), Cat(name="tom")]

    @strawberry.field
    def stranger(self) -> Animal | None:
        """No member of the union."""
        return "stranger"  # type: ignore[return-value]

    @strawberry.field
    def labels(self) -> list[Label | None]:
        """A label and what is none."""
        return [Label(text="a", size=BIG), Odd(), Label(text=Odd)]  # type: ignore[list-item, arg-type]

    @strawberry.field
    async def streamed(self) -> list[int]:
        """A list that arrives bit by bit."""

        async def numbers() -> AsyncIterator[int]:
            yield 1
            yield 2

        return numbers()  # type: ignore[return-value]

    @strawberry.field
    def lazily(self) -> list[str]:
        """A list that is a generator."""
        return (letter for letter in "abc")  # type: ignore[return-value]

    @strawberry.field
    def not_a_list(self) -> list[str] | None:
        """What cannot be iterated."""
        return 5  # type: ignore[return-value]

    @strawberry.field
    def promises(self) -> list[str | None]:
        """A list of awaitables, one of which fails."""

        async def say(word: str) -> str:
            await asyncio.sleep(0)
            if word == "bad":
                raise ValueError("bad promise")
            return word

        return [say("good"), say("bad")]  # type: ignore[list-item]


@strawberry.type
class Mutation:
    """Writing, in order."""

    @strawberry.mutation
    async def push(self, info: strawberry.Info[Any, None], word: str) -> list[str]:
        """Add a word after a while."""
        await asyncio.sleep(0)
        info.context.words.append(word)
        return list(info.context.words)

    @strawberry.mutation
    def fail(self) -> str | None:
        """Add nothing."""
        raise ValueError("no")


class Context:
    """One request's loader and words."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.batches: list[list[str]] = []
        self._loader: DataLoader[str, Any] = DataLoader(load_fn=self._load)

    async def load(self, key: str) -> Any:
        return await self._loader.load(key)

    async def _load(self, keys: list[str]) -> list[Any]:
        self.batches.append(list(keys))
        return [Dog(name=f"friend of {key}") if len(key) < 4 else None for key in keys]


schema = strawberry.Schema(Query, Mutation, types=[Cat, Dog])
