"""The launcher: what it starts, what it keeps, and that nothing is left when its owner is killed."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.local import binaries, postgres

OWNER = """
import sys, time
from pathlib import Path
from infra.local import postgres
server = postgres.start(Path(sys.argv[1]), durable=False)
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests here, so that the data is made once."""
    return tmp_path_factory.mktemp("launcher") / "postgres"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Provide a folder that everybody may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        yield Path(temporary)


def asked(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if sys.platform == "linux":
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode == 0


class TestRunning:
    def test_keeps_data_port_and_password_until_the_second_start(self, folder: Path) -> None:
        with postgres.running(folder, durable=False) as first, psycopg.connect(first.admin_url) as connection:
            connection.execute("create table kept as select 42 as answer")
        with postgres.running(folder, durable=False) as second:
            assert second.admin_url == first.admin_url
            assert asked(second.admin_url, "select answer from kept") == 42

    def test_asks_for_the_password(self, folder: Path) -> None:
        with postgres.running(folder, durable=False) as server:
            wrong = server.admin_url.replace((folder / "password").read_text(), "guessed")
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(wrong)
            assert asked(server.admin_url, "select datlocale from pg_database limit 1") == "C.UTF-8"
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600

    def test_is_durable_unless_set_otherwise_and_takes_settings(self, folder: Path) -> None:
        with postgres.running(folder, settings={"shared_buffers": "32MB"}) as server:
            assert asked(server.admin_url, "show fsync") == "on"
            assert asked(server.admin_url, "show shared_buffers") == "32MB"
        with postgres.running(folder, durable=False) as server:
            assert asked(server.admin_url, "show fsync") == "off"

    def test_takes_another_port_when_its_own_is_taken(self, folder: Path) -> None:
        with postgres.running(folder, durable=False) as server:
            port = server.port
        with socket.socket() as squatter:
            squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            squatter.bind(("127.0.0.1", port))
            squatter.listen()
            with postgres.running(folder, durable=False) as server:
                assert server.port != port

    def test_refuses_a_folder_in_use(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "LOCKED_FOR", 0.1)
        with postgres.running(folder, durable=False), pytest.raises(postgres.AlreadyRunning, match="already"):
            postgres.start(folder, durable=False)

    def test_says_what_postgresql_said_when_it_does_not_start(self, folder: Path) -> None:
        with pytest.raises(postgres.DidNotStart, match="no_such_setting"):
            postgres.start(folder, settings={"no_such_setting": "1"})

    def test_starts_over_a_stale_pid_file_that_names_a_living_process(self, folder: Path) -> None:
        with postgres.running(folder, durable=False):
            pass
        (folder / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n/nowhere\n")
        with postgres.running(folder, durable=False) as server:
            assert asked(server.admin_url, "select 1") == 1


class TestDyingWithTheOwner:
    def test_goes_away_when_the_owner_is_killed_and_starts_again(self, folder: Path) -> None:
        command = [sys.executable, "-c", OWNER, str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout is not None
            pid = int(owner.stdout.readline())
            assert alive(pid)
            owner.send_signal(signal.SIGKILL)
        # At once, without waiting: the folder is handed over when the last process of the old server is gone.
        with postgres.running(folder, durable=False) as server:
            assert asked(server.admin_url, "select 1") == 1
        deadline = time.monotonic() + 5
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not alive(pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
class TestStartedByRoot:
    def test_runs_as_an_unprivileged_user_below_a_folder_closed_to_it(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        with postgres.running(closed / "postgres", durable=False) as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == binaries.unprivileged_user()[0]
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert closed.stat().st_uid == 0

    def test_copies_programs_that_the_user_may_not_run(
        self, folder: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(binaries, "_may_read", lambda file, user: False)
        monkeypatch.setattr(binaries, "CACHES", (open_folder,))
        with postgres.running(folder, durable=False) as server:
            assert open_folder in Path(os.readlink(f"/proc/{server.pid}/exe")).parents
        copied = binaries.find(binaries.unprivileged_user())
        (copied / "initdb").unlink()
        assert (binaries.find(binaries.unprivileged_user()) / "initdb").exists()

    def test_runs_nothing_from_a_cache_of_another_account(
        self, open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = binaries.unprivileged_user()
        monkeypatch.setattr(binaries, "_may_read", lambda file, user: False)
        monkeypatch.setattr(binaries, "CACHES", (open_folder,))
        home = binaries.find(user).parents[2]
        os.chown(home, *user)
        with pytest.raises(RuntimeError, match="found no folder"):
            binaries.find(user)
