"""Point-in-time recovery on the embedded server: a base backup, archived write-ahead log, and a restored server.

Folders lie side by side, so that a command run in a server's data folder reaches the others by a relative path, without
permission for the folders above:

    archive/        the log, file by file, as the server finishes them
    first/data/     the server that is lost
    second/data/    the base backup, which becomes the restored server
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from datetime import datetime
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from infra.labs.drills.steps import DrillFailure
from infra.local import binaries, postgres
from infra.local.children import spawn, stop
from infra.local.postgres import Server

ARCHIVES_WITHIN = 2  # seconds; a file of the log that is not full is archived after that long
TIMEOUT = 30.0
ARCHIVING = {
    "archive_mode": "on",
    "archive_timeout": str(ARCHIVES_WITHIN),
    # renamed when complete: a restore never reads half of a file
    "archive_command": "cp %p ../../archive/%f.part && mv ../../archive/%f.part ../../archive/%f",
}


def start(home: Path) -> Server:
    """Start a server that archives its log."""
    home.chmod(0o711)
    _make_folder(home / "archive")
    return postgres.start(home / "first", settings=ARCHIVING)


def base_backup(server: Server, home: Path) -> int:
    """Copy a running server, verify the copy, and return its bytes. The log is left to the archive."""
    second = _make_folder(home / "second")
    shutil.copy2(server.data_folder / "password", second / "password")
    _own(second / "password")
    _run(
        server,
        second,
        "pg_basebackup",
        "-h",
        "127.0.0.1",
        "-p",
        str(server.port),
        "-U",
        "postgres",
        "-D",
        "data",
        "-X",
        "none",
        "--checkpoint=fast",
        "--no-sync",
        "--manifest-checksums=SHA256",
    )
    return verify(second / "data")


def verify(data: Path) -> int:
    """Compare a base backup with its manifest, byte for byte, and return the number of bytes.

    PostgreSQL has pg_verifybackup for it; the one in the wheel ends with a segmentation fault whatever it is asked.
    """
    files = json.loads((data / "backup_manifest").read_text())["Files"]
    for file in files:
        copied = data / (file["Path"] if "Path" in file else bytes.fromhex(file["Encoded-Path"]).decode())
        if not copied.is_file() or hashlib.sha256(copied.read_bytes()).hexdigest() != file["Checksum"]:
            raise DrillFailure(f"the base backup is not whole: {copied.relative_to(data)}")
    return sum(int(file["Size"]) for file in files)


def wait_for_archive(server: Server, home: Path) -> float:
    """Wait until everything written so far is in the archive, and return the seconds that it took."""
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        # a mark of our own: where nothing was written since the last file, there is no next file to wait for
        row = admin.execute("select pg_walfile_name(pg_logical_emit_message(true, 'drill', 'up to here'))").fetchone()
    assert row is not None
    began = time.monotonic()
    while not (home / "archive" / row[0]).exists():
        if time.monotonic() - began > TIMEOUT:
            raise DrillFailure(f"the archive has no {row[0]}; see {server.data_folder / 'postgres.log'}")
        time.sleep(0.05)
    return time.monotonic() - began


def kill(server: Server) -> None:
    """Kill a server as a power cut would: no shutdown, no checkpoint."""
    stop(server.process, by=signal.SIGQUIT)


def restore(home: Path, moment: datetime) -> Server:
    """Restore a server from the base backup and the log up to a moment, and promote it."""
    second = home / "second"
    _own_file(second / "data" / "recovery.signal")
    settings = {
        "restore_command": "cp ../../archive/%f %p",
        "recovery_target_time": moment.isoformat(),
        "recovery_target_action": "promote",
    }
    server = postgres.start(second, settings={**ARCHIVING, **settings})
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        # it answers questions before it has read all of the log, and takes writes only after
        began = time.monotonic()
        while admin.execute("select pg_is_in_recovery()").fetchone() != (False,):
            if time.monotonic() - began > TIMEOUT:
                raise DrillFailure(f"the server is still recovering; see {second / 'postgres.log'}")
            time.sleep(0.05)
    return server


def with_port_of(url: str, server: Server) -> str:
    """Return an address with a restored server's port; roles and passwords came with the backup."""
    return make_url(url).set(port=server.port).render_as_string(hide_password=False)


def _run(server: Server, folder: Path, program: str, *arguments: str) -> None:
    log = folder / f"{program}.log"
    environment = {"PGPASSWORD": (folder / "password").read_text(), "PATH": os.environ["PATH"], "LC_ALL": "C"}
    command = [str(binaries.find(_user()) / program), *arguments]
    if spawn(command, log=log, cwd=folder, user=_user(), env=environment).wait() != 0:
        raise DrillFailure(f"{program} failed: {log.read_text(errors='replace')[-500:]}")


def _user() -> tuple[int, int] | None:
    return binaries.unprivileged_user() if os.geteuid() == 0 else None


def _make_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    _own(folder)
    return folder


def _own_file(file: Path) -> None:
    file.touch(mode=0o600)
    _own(file)


def _own(path: Path) -> None:
    if user := _user():
        os.chown(path, *user)
