"""sslmode=verify-full with an authority of our own: one address for the processes and for `migrate`.

The embedded PostgreSQL is built without TLS, so PgBouncer ends it before the server, in session mode.
"""

import os
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from db.migrate import migrate
from db.session import TIME_LIMITS, Database
from devservices.ports import HOST, free_port, is_listening
from tests.certificates import Certificates

DEADLINE_SECONDS = 10.0


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """An authority of our own, and a server's certificate."""
    return Certificates(tmp_path)


@pytest.fixture
def tls_url(postgres_url: str, tmp_path: Path, certificates: Certificates) -> Iterator[str]:
    """The address of a fresh database behind TLS, without its query."""
    program = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if program is None:
        pytest.skip("there is no pgbouncer, which ends TLS here")
    server, port = urlsplit(postgres_url), free_port()
    name = server.path.lstrip("/")
    (tmp_path / "users.txt").write_text(f'"{server.username}" "{server.password}"\n')
    keep_alive = [f"tcp_keepalives_{each}" for each in ("idle", "interval", "count")]
    ignored = ",".join([*TIME_LIMITS, *keep_alive])
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={server.hostname} port={server.port} dbname={name}\n"
        f"[pgbouncer]\nlisten_addr = {HOST}\nlisten_port = {port}\nauth_type = scram-sha-256\n"
        f"auth_file = {tmp_path / 'users.txt'}\npool_mode = session\nunix_socket_dir =\n"
        f"ignore_startup_parameters = {ignored}\nclient_tls_sslmode = require\n"
        f"client_tls_cert_file = {certificates.server[0]}\nclient_tls_key_file = {certificates.server[1]}\n"
    )
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["-u", "nobody"]
        for path in (tmp_path, *tmp_path.parents):
            if path.is_relative_to("/tmp") and path != Path("/tmp"):
                path.chmod(0o755)
        for path in tmp_path.iterdir():
            shutil.chown(path, "nobody")
    process = subprocess.Popen([program, "-q", *as_user, str(tmp_path / "pgbouncer.ini")])
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not is_listening(port):
        assert process.poll() is None and time.monotonic() < deadline, "it does not start"
        time.sleep(0.05)
    yield f"postgresql://{server.username}:{server.password}@{HOST}:{port}/{name}"
    process.terminate()
    process.wait()


async def test_the_same_address_serves_when_the_authority_is_given(
    tls_url: str, certificates: Certificates
) -> None:
    url = f"{tls_url}?sslmode=verify-full&sslrootcert={certificates.ca_file}"

    await migrate(url)

    database = Database(url)
    assert await database.fetchval("SELECT count(*) FROM events") == 0
    await database.close()


async def test_the_server_is_refused_when_another_authority_is_given(tls_url: str, tmp_path: Path) -> None:
    other = Certificates(tmp_path / "other")
    url = f"{tls_url}?sslmode=verify-full&sslrootcert={other.ca_file}"

    with pytest.raises(ssl.SSLCertVerificationError):
        await migrate(url)
    database = Database(url)
    with pytest.raises(ssl.SSLCertVerificationError):
        await database.fetchval("SELECT 1")
