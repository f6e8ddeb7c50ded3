"""The command behind `make run`: `python -m infra.local run`, and `login EMAIL` beside it."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from infra.local import aws, mailbox, stack

console = Console(highlight=False, soft_wrap=True)  # unbroken lines, so that a command can be copied


def run() -> int:
    """Start the stack, print how to use it, and run it until Ctrl-C or SIGTERM; return 0 if that ended it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    started = time.monotonic()
    try:
        with stack.running(home(), _port(), _report, admin_url=os.environ.get("DATABASE_URL")) as running:
            _greet(running, time.monotonic() - started)
            try:
                while not (problem := running.ended()):
                    time.sleep(0.5)
                _say(problem)
                return 1
            finally:
                _calm()
    except KeyboardInterrupt:
        console.print("stopped")
        return 0
    except RuntimeError as problem:  # Refused, or a part that did not start; the message says what to do
        _say(str(problem))
        return 2


def login(email: str) -> int:
    """Print an ID token for an address, from the local Cognito of the running stack."""
    settings = dict(line.split("=", 1) for line in (home() / "stack.env").read_text().splitlines())
    print(aws.make_login(settings["AWS_ENDPOINT_URL"], email, f"Aa1-{secrets.token_hex(16)}"))
    return 0


def home() -> Path:
    """Return the folder that holds all local data, outside the project."""
    return Path(os.environ.get("WAGEBOOK_HOME") or Path.home() / ".wagebook").expanduser().resolve()


def _port() -> int:
    port = os.environ.get("PORT") or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise stack.Refused(f"PORT={port} is not a port number.")
    return int(port)


def _interrupt(number: int, frame: Any) -> None:
    _calm()
    raise KeyboardInterrupt


def _calm() -> None:
    # From here on everything is being stopped in order, within seconds; a second Ctrl-C must not break that off.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _report(step: str, seconds: float) -> None:
    console.print(f"  [green]ready[/green]  {step:<32} {seconds:6.2f} s")


def _say(problem: str) -> None:
    console.print(problem, style="red", markup=False)


def _greet(running: stack.Stack, seconds: float) -> None:
    url = running.url
    console.print(f"\n[bold]Wagebook runs[/bold] after {seconds:.1f} s: {url}   documentation: {url}/docs\n")
    for role, key in running.keys.items():
        console.print(f"  {role:<16} {key}", markup=False)
    role = next((one for one in ("hr", "tenant_admin") if one in running.keys), next(iter(running.keys), ""))
    if role:
        console.print(f"\nTry, as {role}:")
        for path in ("/me", "/pay-register/2026-01?limit=5", "/balances/2026-01"):
            console.print(f"  curl -s -H 'X-API-Key: {running.keys[role]}' '{url}{path}'", markup=False)
    console.print(f"\nMail that was sent: {url}{mailbox.PATH}", markup=False)
    console.print(f"Logs: {running.logs}/*.log   Data: {running.home}   Stop: Ctrl-C", markup=False)


def main(arguments: list[str]) -> int:
    """Run the command of the command line."""
    if arguments == ["run"]:
        return run()
    if len(arguments) == 2 and arguments[0] == "login":
        return login(arguments[1])
    console.print("usage: python -m infra.local run | login EMAIL")
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
