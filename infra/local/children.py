"""Start child processes that never outlive the process that started them, not even a killed one.

On Linux the kernel does it (PR_SET_PDEATHSIG). Elsewhere a watchdog of a few lines waits on a pipe that only
the owner holds open: the pipe closes with the owner, however it ends.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PROJECT = Path(__file__).resolve().parents[2]
LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
# Loaded here and not between fork and exec, where taking the loader's lock could block for ever.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if LINUX else None

WATCHDOG = """
import os, signal, sys, time
pid, number = int(sys.argv[1]), int(sys.argv[2])
os.read(0, 1)
for number in (number, number, signal.SIGKILL):
    try:
        os.kill(pid, number)
    except OSError:
        break
    time.sleep(5)
"""


def spawn(
    command: Sequence[str],
    *,
    log: Path | IO[bytes] | None = None,
    env: dict[str, str] | None = None,
    cwd: Path | str | None = None,
    user: tuple[int, int] | None = None,
    pass_fds: Sequence[int] = (),
    dying_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start `command` as a child in its own session, sent `dying_signal` when this process is gone.

    Its own session, because Ctrl-C in a terminal reaches the whole foreground group and the owner stops its
    children in order. `user` is (uid, gid). Call it from a thread that lives as long as the child may: Linux
    counts the death of the *thread* that forked.
    """
    output: IO[bytes] | int
    if isinstance(log, Path):
        output = log.open("ab")
    else:
        output = log if log is not None else subprocess.DEVNULL
    uid, gid = user if user else (None, None)
    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            user=uid,
            group=gid,
            extra_groups=[] if user else None,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid(), dying_signal) if LINUX else None,
        )
    finally:
        if isinstance(log, Path) and not isinstance(output, int):
            output.close()
    if not LINUX:
        _watch(child, dying_signal)
    return child


@dataclass
class ReportingChild:
    """A child that reports once, when it is ready."""

    module: str
    process: subprocess.Popen[bytes]
    report: IO[bytes]
    log: Path | None

    def wait_until_ready(self, seconds: float = 60.0) -> str:
        """Wait for the child's report and return it. Raises RuntimeError if it ends or stays silent."""
        with self.report:
            text = self.report.read() if select.select([self.report], [], [], seconds)[0] else b""
        if not text:
            stop(self.process, seconds=1)
            raise RuntimeError(f"{self.module} did not start" + (f"; see {self.log}" if self.log else ""))
        return text.decode()


def spawn_reporting(module: str, *, log: Path | None = None, env: dict[str, str] | None = None) -> ReportingChild:
    """Start one of our modules as a child; its only argument is the descriptor for `report_ready`."""
    report, speaking = os.pipe()
    try:
        child = spawn([sys.executable, "-m", module, str(speaking)], log=log, env=env, cwd=PROJECT, pass_fds=[speaking])
    finally:
        os.close(speaking)  # ours; when the child ends without a word, hearing ends too
    return ReportingChild(module, child, open(report, "rb"), log)  # closed by wait_until_ready


def report_ready(descriptor: str, text: str) -> None:
    """Report to the owner, from inside the child, that it is ready."""
    with open(int(descriptor), "wb") as speaking:
        speaking.write(text.encode())


def stop(child: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM, seconds: float = 5.0) -> None:
    """Ask the child to stop and, if it has not after `seconds`, kill it with its whole session."""
    if child.poll() is None:
        child.send_signal(by)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _die_with(owner: int, dying_signal: signal.Signals) -> Callable[[], None]:
    def between_fork_and_exec() -> None:
        # Python runs this after it changed uid and gid, as it must be: a change of credentials clears it.
        assert _prctl is not None
        _prctl(PR_SET_PDEATHSIG, int(dying_signal), 0, 0, 0)
        if os.getppid() != owner:  # the owner died between fork and prctl: no signal will come
            os._exit(1)

    return between_fork_and_exec


def _watch(child: subprocess.Popen[bytes], dying_signal: signal.Signals) -> None:
    # The pipe's writing end stays open in this object as long as this process lives, and is not inherited.
    child.watchdog = subprocess.Popen(  # type: ignore[attr-defined]
        [sys.executable, "-I", "-S", "-c", WATCHDOG, str(child.pid), str(int(dying_signal))],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
