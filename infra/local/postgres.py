"""Run a PostgreSQL server of our own, from the wheel's programs, for one folder of data.

It listens on 127.0.0.1 only, asks for a password, and ends with the process that started it. Everything it needs
to start again lies in the data folder: `data` (PostgreSQL's own), `password`, `port`, `lock`, `postgres.log`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.local import binaries
from infra.local.children import LINUX, spawn, stop

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "jit": "off",  # compiling statements as short as ours costs more than it gives
    "log_timezone": "UTC",
    "timezone": "UTC",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
READY_WITHIN = 30.0  # seconds; recovery after a kill reads the log written since the last checkpoint
LOCKED_FOR = 5.0  # seconds given to a server whose owner was killed to write its buffers and go


class AlreadyRunning(RuntimeError):
    """Another server uses the folder."""


class DidNotStart(RuntimeError):
    """PostgreSQL did not start; the message has the end of its log."""


@dataclass(frozen=True)
class Server:
    """A running server, with its superuser's address."""

    admin_url: str
    port: int
    pid: int
    data_folder: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Shut the server down: open sessions are ended, everything committed is written."""
        stop(self.process, by=signal.SIGINT, seconds=20)


@contextmanager
def running(data_folder: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start the server, yield it, and stop it afterwards."""
    server = start(data_folder, durable=durable, settings=settings)
    try:
        yield server
    finally:
        server.stop()


def start(data_folder: Path, *, durable: bool = True, settings: Mapping[str, str] | None = None) -> Server:
    """Start a server on the folder, making it on first use, and return once it takes connections.

    `durable=False` is for tests: a crash of the machine may lose or break the data. `settings` overrides
    postgresql.conf. Raises AlreadyRunning or DidNotStart. Started by root, the server runs as an unprivileged
    user who then owns the folder; permissions of its parents are never touched. Call it from a thread that lives
    as long as the server may (see children.spawn).
    """
    data_folder = data_folder.resolve()
    data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    user = _user_for(data_folder) if os.geteuid() == 0 else None
    programs = binaries.find(user)
    with _locked(data_folder) as lock:
        if user:
            os.chown(data_folder, *user)
        password = _password(data_folder, user)
        data = data_folder / "data"
        if not data.is_dir():
            _make(data, programs, user)
        # We hold the lock, which a server and all its processes share: the process that wrote this file is gone, even
        # if its number has since been given to another process.
        (data / "postmaster.pid").unlink(missing_ok=True)
        options = {**SETTINGS, **({} if durable else NOT_DURABLE), **(settings or {})}
        process, port = _launch(data_folder, programs, user, options, lock)
    url = f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres"
    return Server(admin_url=url, port=port, pid=process.pid, data_folder=data_folder, process=process)


def _user_for(data_folder: Path) -> tuple[int, int]:
    # A folder first used by an ordinary user keeps its owner when root starts it.
    with suppress(FileNotFoundError):
        facts = (data_folder / "data").stat()
        if facts.st_uid != 0:
            return facts.st_uid, facts.st_gid
    return binaries.unprivileged_user()


@contextmanager
def _locked(data_folder: Path) -> Iterator[IO[bytes]]:
    with (data_folder / "lock").open("ab") as lock:
        deadline = time.monotonic() + LOCKED_FOR
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AlreadyRunning(f"a PostgreSQL server is already running on {data_folder}") from None
                time.sleep(0.05)
        yield lock  # leaving closes our handle only; the server inherited the lock and keeps it to its end


def _password(data_folder: Path, user: tuple[int, int] | None) -> str:
    file = data_folder / "password"
    if not file.exists():
        if (data_folder / "data").exists():
            raise DidNotStart(f"{file} is missing, and with it the way into {data_folder / 'data'}")
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(24))
        if user:
            os.chown(fresh, *user)  # initdb reads it
        fresh.rename(file)
    return file.read_text()


def _here(folder: Path, user: tuple[int, int] | None) -> str:
    # A folder under /root cannot be entered by name by the unprivileged user. Root puts the child into it,
    # and this name leads it back there without walking through the parents.
    return "/proc/self/cwd" if user and LINUX else str(folder)


def _make(data: Path, programs: Path, user: tuple[int, int] | None) -> None:
    fresh = data.with_name("data.new")  # renamed when complete: an interrupted start leaves nothing incomplete
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if user:
        os.chown(fresh, *user)
    # The password is 192 random bits: 4,096 rounds of hashing would protect nothing and slow every connection.
    command = [str(programs / "initdb"), "-D", _here(fresh, user), "-U", "postgres", "--pwfile=../password"]
    command += ["--auth=scram-sha-256", "-c", "scram_iterations=1", "--encoding=UTF8", "--no-sync"]
    # `--locale=C` for what the C library decides: macOS and slim images may not know C.UTF-8.
    command += ["--locale-provider=builtin", "--locale=C", "--builtin-locale=C.UTF-8", "--no-instructions"]
    log = data.with_name("initdb.log")
    if spawn(command, log=log, cwd=fresh, user=user, env=_environment()).wait() != 0:
        raise DidNotStart(f"initdb failed, see {log}:\n{_end_of(log)}")
    fresh.rename(data)


def _launch(
    data_folder: Path, programs: Path, user: tuple[int, int] | None, settings: Mapping[str, str], lock: IO[bytes]
) -> tuple[subprocess.Popen[bytes], int]:
    data, log = data_folder / "data", data_folder / "postgres.log"
    for attempt in range(5):
        port = _free_port(data_folder / "port", remembered=attempt == 0)
        command = [str(programs / "postgres"), "-D", _here(data, user), "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        size = log.stat().st_size if log.exists() else 0
        process = spawn(
            command,
            log=log,
            cwd=data,
            user=user,
            env=_environment(),
            pass_fds=[lock.fileno()],
            dying_signal=signal.SIGINT,
        )
        if _ready(process, data / "postmaster.pid"):
            (data_folder / "port").write_text(str(port))
            return process, port
        stop(process, by=signal.SIGQUIT)
        if b"could not bind" not in log.read_bytes()[size:]:  # else another process took the port meanwhile
            break
    raise DidNotStart(f"PostgreSQL did not start, see {log}:\n{_end_of(log)}")


def _ready(process: subprocess.Popen[bytes], status_file: Path) -> bool:
    deadline = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            lines = status_file.read_text().splitlines()
            # Line 1 is the server's process number, line 8 its state (PostgreSQL, utils/pidfile.h).
            if len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return True
        time.sleep(0.005)
    return False


def _free_port(file: Path, *, remembered: bool) -> int:
    remembered_port = int(file.read_text() or 0) if remembered and file.exists() else 0
    for port in (remembered_port, 0):
        with socket.socket() as candidate, suppress(OSError):
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            candidate.bind(("127.0.0.1", port))
            return int(candidate.getsockname()[1])
    raise DidNotStart("no free port on 127.0.0.1")


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and the like of the calling shell must not reach the server.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-12:])
