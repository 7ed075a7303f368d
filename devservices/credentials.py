"""Development secrets, generated once a data dir and stored there, readable only by their owner."""

import json
import secrets
from base64 import b64encode
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from devservices.part import write_atomically


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of the embedded parts and the API. Never used in production."""

    jwt_secret: str
    stripe_api_key: str
    stripe_webhook_secret: str
    meilisearch_key: str
    ticket_key: str
    postgres_password: str
    redis_password: str


def credentials_of(home: Path) -> Credentials:
    """The secrets of this data dir; missing ones are generated and saved, existing ones never change."""
    path = home / "secrets.json"
    saved = read_saved(path)
    wanted = {field.name: saved.get(field.name) or generate(field.name) for field in fields(Credentials)}
    credentials = Credentials(**wanted)
    if asdict(credentials) != saved:
        home.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(credentials), indent=1) + "\n", mode=0o600)
    return credentials


def read_saved(path: Path) -> dict[str, str]:
    """The saved secrets; empty without a file."""
    try:
        saved = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return {name: value for name, value in saved.items() if isinstance(value, str)}


PREFIXES = {"stripe_api_key": "sk_test_local_", "stripe_webhook_secret": "whsec_local_"}


def generate(name: str) -> str:
    """A new secret of 192 bits, with Stripe's prefixes for Stripe's secrets; a seed of 256 for a key."""
    if name == "ticket_key":
        return b64encode(secrets.token_bytes(32)).decode()
    return PREFIXES.get(name, "") + secrets.token_hex(24)
