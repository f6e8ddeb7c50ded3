"""Start the parts of a local Wagebook one after the other, and stop them in the reverse order."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from infra.local import aws, demo, postgres
from infra.local.children import PROJECT, spawn, spawn_reporting, stop

Report = Callable[[str, float], None]
HIDDEN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "DATABASE_URL")  # the caller's own: no child meets them


class Refused(RuntimeError):
    """The stack cannot start; the message says why and what to do, in one line."""


@dataclass
class Stack:
    """A running stack, and its address."""

    home: Path
    url: str
    keys: dict[str, str] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def logs(self) -> Path:
        """Return the folder of the logs."""
        return self.home / "logs"

    def ended(self) -> str | None:
        """Return a part that ended by itself, if one did."""
        for name, child in self.children.items():
            if child.poll() is not None:
                return f"{name} ended by itself with code {child.returncode}; see {self.logs / name}.log"
        return None


@contextmanager
def running(home: Path, port: int, report: Report, *, admin_url: str | None = None) -> Iterator[Stack]:
    """Start everything, hand out what runs, and stop everything at the end of the block.

    `report` is called after each step with its name and the seconds it took. `admin_url` names a database server
    that another runs, by an account that may create roles and databases. Raises Refused.
    """
    stack = Stack(home, f"http://127.0.0.1:{port}")
    stack.logs.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    with ExitStack() as parts:
        parts.enter_context(_only_one(home))
        _refuse_if_taken(port)
        # takes two seconds; meanwhile the database is made
        moto = aws.start(stack.logs / "moto.log", master_key=_master_key(home))
        parts.callback(moto.stop)
        stack.children["moto"] = moto.child.process
        with _step(report, "PostgreSQL"):
            admin_url = admin_url or _postgres(parts, stack)
        with _step(report, "migrations"):
            settings = _database(home, admin_url)
        with _step(report, "moto in AWS's place"):
            settings |= {**moto.settings(), "WAGEBOOK_URL": stack.url, "WEBHOOKS_LOCAL": "true"}
        _write_secret(home / "stack.env", "".join(f"{name}={value}\n" for name, value in settings.items()))
        environment = {name: value for name, value in os.environ.items() if name not in HIDDEN}
        environment |= {**settings, "WAGEBOOK_HOME": str(home), "PYTHONUNBUFFERED": "1"}
        with _step(report, "API, schedules, queue consumers"):
            command = [sys.executable, "-m", "infra.local.serve", str(port)]
            api = spawn(command, log=stack.logs / "api.log", cwd=PROJECT, env=environment)
            parts.callback(stop, api, seconds=3)
            stack.children["api"] = api
            loop = spawn_reporting("infra.local.events", log=stack.logs / "events.log", env=environment)
            parts.callback(stop, loop.process, seconds=3)
            stack.children["events"] = loop.process
            loop.wait_until_ready()
            _await_health(stack)
        with _step(report, "demo data"):
            stack.keys = demo.keys(
                home / "demo.json", url=stack.url, environment=environment, log=stack.logs / "demo.log"
            )
        yield stack


@contextmanager
def _step(report: Report, name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    report(name, time.monotonic() - started)


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    # The lock belongs to this process and goes with it, however it ends; the file stays.
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Wagebook already runs on {home}; name another folder with WAGEBOOK_HOME.") from None
        yield


def _refuse_if_taken(port: int) -> None:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            raise Refused(f"Port {port} is in use; name another one with PORT, like PORT=8010.") from None


def _postgres(parts: ExitStack, stack: Stack) -> str:
    try:
        server = parts.enter_context(postgres.running(stack.home / "postgres"))
    except (postgres.AlreadyRunning, postgres.DidNotStart) as problem:
        raise Refused(str(problem)) from None
    stack.children["postgres"] = server.process
    return server.admin_url


def _database(home: Path, admin_url: str) -> dict[str, str]:
    from migrations import setup

    file = home / "passwords.json"
    if not file.exists():
        _write_secret(file, json.dumps({login: secrets.token_hex(24) for login in setup.LOGINS}))
    urls = setup.prepare(admin_url, json.loads(file.read_text()))
    setup.upgrade(urls.migrator)
    return {"APPLICATION_DATABASE_URL": urls.application, "MIGRATION_DATABASE_URL": urls.migrator}


def _master_key(home: Path) -> str:
    # moto forgets its KMS key, and the database keeps what that key wrapped
    file = home / "master.key"
    if not file.exists():
        _write_secret(file, secrets.token_hex(32))
    return file.read_text()


def _write_secret(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_text(text)
    fresh.rename(file)


def _await_health(stack: Stack, *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    last_answer, pause = "no answer", 0.05
    while time.monotonic() < deadline:
        if problem := stack.ended():
            raise Refused(problem)
        try:
            with urllib.request.urlopen(f"{stack.url}/health", timeout=5):  # noqa: S310  # our own http address
                return
        except urllib.error.HTTPError as error:
            last_answer = f"{error.code} {error.read(300).decode(errors='replace')}"
        except OSError as error:
            last_answer = str(error)
        time.sleep(pause)
        pause = min(2 * pause, 0.4)
    raise Refused(f"The API is not healthy after {seconds:.0f} s ({last_answer}); see {stack.logs / 'api.log'}")
