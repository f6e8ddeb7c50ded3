"""A base backup is compared with its manifest."""

import hashlib
import json
from pathlib import Path

import pytest

from infra.labs.drills import backup
from infra.labs.drills.steps import DrillFailure


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    (tmp_path / "1").write_bytes(b"rows")
    file = {"Path": "1", "Size": 4, "Checksum-Algorithm": "SHA256", "Checksum": hashlib.sha256(b"rows").hexdigest()}
    (tmp_path / "backup_manifest").write_text(json.dumps({"Files": [file]}))
    return tmp_path


class TestVerify:
    def test_counts_the_bytes_of_a_whole_one(self, data: Path) -> None:
        assert backup.verify(data) == 4

    def test_refuses_one_with_another_byte(self, data: Path) -> None:
        (data / "1").write_bytes(b"rowz")
        with pytest.raises(DrillFailure, match="not whole: 1"):
            backup.verify(data)

    def test_refuses_one_with_a_file_missing(self, data: Path) -> None:
        (data / "1").unlink()
        with pytest.raises(DrillFailure, match="not whole: 1"):
            backup.verify(data)
