"""Every audit of the public graphql-http suite, run by node against a real socket."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.transport.clients import listening
from tests.transport.toy import make_server

AUDIT = Path(__file__).parents[2] / "transport" / "audit"
AUDITS = 61


async def _run(*command: str, cwd: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


@pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="the audits are a node program"
)
async def test_every_audit_is_ok_when_the_public_suite_runs(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", "audit.mjs"):
        shutil.copy(AUDIT / name, tmp_path)
    await _run("npm", "ci", "--no-audit", "--no-fund", cwd=tmp_path)

    async with listening(make_server()) as address:
        output = await _run("node", "audit.mjs", f"http://{address}/", cwd=tmp_path)

    results = json.loads(output)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
