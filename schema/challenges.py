"""What a client solves before it takes a guest session or a place in a waiting room."""

import strawberry


@strawberry.type(
    description="A proof of work in the format of ALTCHA (algorithm SHA-256): find `number` so that "
    "hex(sha256(salt + number)) = challenge. It expires within five minutes, and a solution is accepted once"
)
class Challenge:
    algorithm: str = strawberry.field(description="SHA-256")
    challenge: str = strawberry.field(description="The hash to find, in hexadecimal")
    salt: str = strawberry.field(description="Stands before the number; says when the challenge expires")
    max_number: int = strawberry.field(description="The largest number to try, from 0 on")
    signature: str = strawberry.field(description="Goes back unchanged with the solution")
