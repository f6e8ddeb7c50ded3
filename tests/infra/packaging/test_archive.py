"""Zips that are the same bytes."""

import os
from pathlib import Path

from infra.deploy.packaging import archive


class TestWrite:
    def test_gives_the_same_bytes_whatever_the_order_the_moment_and_the_permissions(self, tmp_path: Path) -> None:
        names, digests = ["b.py", "a/c.py", "a.py"], []
        for turn in range(2):
            folder = tmp_path / str(turn)
            for name in names[:: 1 - 2 * turn]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(name)
                (folder / name).chmod(0o600 + 0o55 * turn)
                os.utime(folder / name, (1_700_000_000 + turn * 86_400,) * 2)
            archive.write(folder, tmp_path / f"{turn}.zip")
            digests.append(archive.digest(tmp_path / f"{turn}.zip"))
        assert digests[0] == digests[1]

    def test_can_be_read_by_the_account_that_lambda_runs_it_as(self, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "a.py").write_text("a")
        (tmp_path / "in" / "a.py").chmod(0o600)
        archive.write(tmp_path / "in", tmp_path / "a.zip")
        archive.unpack(tmp_path / "a.zip", tmp_path / "out")
        assert (tmp_path / "out" / "a.py").read_text() == "a"
        assert archive.READABLE >> 16 & 0o777 == 0o644
