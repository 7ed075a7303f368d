"""What a person types that cannot be done: one sentence, exit status 2."""

from pathlib import Path
from uuid import UUID

import pytest

from cli import main
from domain.ticket_keys import TicketKeys
from kit.seeds import new_seed


@pytest.mark.parametrize(
    "command",
    [
        ["up", "--workers", "0"],
        ["up", "--workers", "9999"],
        ["up", "--port", "99999"],
        ["up", "--data-dir", "/proc/nope", "--port", "0"],
        ["token", "--user", ""],
        ["token", "--user", "u", "--scope", "admin"],
        ["token", "--user", "u", "--ttl", "0"],
        ["import", "plan", "/nope"],
        ["import", "events", "/nope"],
        ["nonsense"],
    ],
)
def test_one_sentence_when_a_command_cannot_be_done(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = main(command)
    except SystemExit as stop:
        status = stop.code

    received = capsys.readouterr()
    assert status == 2
    assert len(received.err.strip().splitlines()) == 1
    assert received.out == ""


def test_one_sentence_when_the_database_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOXOFFICE_DATABASE_URL", "postgresql://x:y@127.0.0.1:1/x")
    monkeypatch.setenv("BOXOFFICE_REDIS_URL", "redis://127.0.0.1:1")

    assert main(["migrate", "--data-dir", str(tmp_path)]) == 2

    assert "cannot be reached" in capsys.readouterr().err


def test_ticket_is_verified_when_this_installation_signed_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seed = new_seed()
    monkeypatch.setenv("BOXOFFICE_TICKET_KEY", seed)
    code = TicketKeys.parse(seed).code_of(UUID(int=1), UUID(int=2), 7)

    status = main(["ticket", "verify", code, "--data-dir", str(tmp_path)])

    assert status == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "event       evt_00000000000000000000000001",
        "ticket      tkt_00000000000000000000000002",
        "generation  7",
    ]


def test_ticket_is_not_valid_when_another_installation_signed_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("BOXOFFICE_TICKET_KEY", new_seed())
    code = TicketKeys.parse(new_seed()).code_of(UUID(int=1), UUID(int=2), 7)

    status = main(["ticket", "verify", code, "--data-dir", str(tmp_path)])

    assert status == 1
    assert capsys.readouterr().out.startswith("NOT VALID")
