"""What passes for an admission token, and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from domain.errors import QueueTokenInvalid
from kit.ids import new_uuid
from services.waiting_room.queue_tokens import QueueTokens, admission_id_of, holder_of

SECRET = "a secret of the tests, long enough to be one"
TOKENS = QueueTokens(SECRET)
NOW = datetime(2027, 3, 1, 10, tzinfo=UTC)
EVENT, USER = new_uuid(), new_uuid()
ADMISSION = admission_id_of(USER, "0123456789abcdef0123")
LATER = NOW + timedelta(minutes=10)


def claims(**changes: Any) -> dict[str, Any]:
    token = TOKENS.mint(EVENT, USER, ADMISSION, LATER)
    known: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return {**known, **changes}


def assert_refused(token: str, now: datetime = NOW) -> None:
    with pytest.raises(QueueTokenInvalid):
        TOKENS.admission_id(token, EVENT, USER, now)


def test_admission_is_read_when_the_token_is_good() -> None:
    token = TOKENS.mint(EVENT, USER, ADMISSION, LATER)

    assert TOKENS.admission_id(token, EVENT, USER, NOW) == ADMISSION
    assert holder_of(ADMISSION) == (USER, "0123456789abcdef0123")


def test_token_is_refused_when_it_has_expired() -> None:
    assert_refused(TOKENS.mint(EVENT, USER, ADMISSION, LATER), LATER + timedelta(seconds=2))


def test_token_is_refused_when_it_is_of_another_event_or_account() -> None:
    assert_refused(TOKENS.mint(new_uuid(), USER, ADMISSION, LATER))
    assert_refused(TOKENS.mint(EVENT, new_uuid(), ADMISSION, LATER))


def test_token_is_refused_when_another_installation_signed_it() -> None:
    assert_refused(QueueTokens(SECRET + "!").mint(EVENT, USER, ADMISSION, LATER))


def test_token_is_read_when_the_previous_secret_signed_it() -> None:
    token = TOKENS.mint(EVENT, USER, ADMISSION, LATER)
    rolling = QueueTokens(SECRET + "!", previous=SECRET)

    assert rolling.admission_id(token, EVENT, USER, NOW) == ADMISSION
    assert_refused(rolling.mint(EVENT, USER, ADMISSION, LATER))


def test_token_is_refused_when_it_is_signed_with_the_viewers_secret() -> None:
    assert_refused(jwt.encode(claims(), SECRET, "HS256"))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_token_is_refused_when_another_algorithm_signed_it(algorithm: str) -> None:
    assert_refused(jwt.encode(claims(), TOKENS._key * 2, algorithm))


def test_token_is_refused_when_nothing_signed_it() -> None:
    assert_refused(jwt.encode(claims(), "", "none"))


@pytest.mark.parametrize("missing", ["sub", "event", "jti", "exp", "aud"])
def test_token_is_refused_when_a_claim_is_missing(missing: str) -> None:
    rest = {name: value for name, value in claims().items() if name != missing}
    assert_refused(jwt.encode(rest, TOKENS._key, "HS256"))


@pytest.mark.parametrize(
    "changes",
    [{"exp": "soon"}, {"exp": None}, {"exp": 1e300}, {"jti": 7}, {"aud": "boxoffice"}],
)
def test_token_is_refused_when_a_claim_does_not_fit(changes: dict[str, Any]) -> None:
    assert_refused(jwt.encode(claims(**changes), TOKENS._key, "HS256"))
