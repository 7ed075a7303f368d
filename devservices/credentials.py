"""Development secrets, drawn once a data dir and kept there, readable by their owner alone."""

import json
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from devservices.part import write_atomically


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the embedded parts and the API share. Never used in production."""

    jwt_secret: str
    stripe_api_key: str
    stripe_webhook_secret: str
    meilisearch_key: str
    postgres_password: str
    redis_password: str


def credentials_of(home: Path) -> Credentials:
    """The home's secrets; missing ones are drawn and saved, existing ones never change."""
    path = home / "secrets.json"
    saved = read_saved(path)
    wanted = {field.name: saved.get(field.name) or draw(field.name) for field in fields(Credentials)}
    credentials = Credentials(**wanted)
    if asdict(credentials) != saved:
        home.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(credentials), indent=1) + "\n", mode=0o600)
    return credentials


def read_saved(path: Path) -> dict[str, str]:
    """What the file holds; nothing when there is no file yet."""
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return {name: value for name, value in saved.items() if isinstance(value, str)}


PREFIXES = {"stripe_api_key": "sk_test_local_", "stripe_webhook_secret": "whsec_local_"}


def draw(name: str) -> str:
    """A new secret of 192 bits; Stripe's carry the prefixes its SDK's users expect."""
    return PREFIXES.get(name, "") + secrets.token_hex(24)
