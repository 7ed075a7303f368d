"""One address of the database serves the processes and the migrations, with several hosts too."""

from urllib.parse import urlsplit

import pytest

from db.migrate import migrate
from db.session import Database
from devservices.ports import HOST, free_port
from settings import Settings, SettingsError


async def test_the_server_that_takes_writes_is_found_when_another_host_is_dead(postgres_url: str) -> None:
    server = urlsplit(postgres_url)
    user, name = f"{server.username}:{server.password}", server.path
    hosts = f"{HOST}:{free_port()},{server.hostname}:{server.port}"
    url = f"postgresql://{user}@{hosts}{name}?target_session_attrs=read-write"
    assert Settings.load({"BOXOFFICE_DATABASE_URL": url}, None).database_url == url

    await migrate(url)

    database = Database(url)
    assert await database.fetchval("SELECT pg_is_in_recovery()") is False
    await database.close()


@pytest.mark.parametrize("hosts", ["", "one:5432,", "one:x", "one:5432,two:0"])
def test_an_address_is_refused_when_one_of_its_hosts_is_none(hosts: str) -> None:
    with pytest.raises(SettingsError, match="BOXOFFICE_DATABASE_URL must be an address"):
        Settings.load({"BOXOFFICE_DATABASE_URL": f"postgresql://a:b@{hosts}/c"}, None)


def test_what_needs_a_session_goes_past_the_pooler_when_there_is_one() -> None:
    pooler, server = "postgresql://a:b@pooler:6432/c", "postgresql://a:b@server:5432/c"
    given = {"BOXOFFICE_DATABASE_URL": pooler}

    assert Settings.load(given, None).session_url == pooler
    assert Settings.load({**given, "BOXOFFICE_DATABASE_DIRECT_URL": server}, None).session_url == server
