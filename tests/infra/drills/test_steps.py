"""What a drill tells: steps that held, and the one that did not."""

from contextlib import nullcontext
from io import StringIO

import pytest
from rich.console import Console

from infra.labs.drills import restore
from infra.labs.drills.steps import DrillFailure, Steps, expect


class TestSteps:
    def test_holds_only_if_every_step_did(self) -> None:
        steps = Steps("A drill")
        assert not steps.passed  # nothing done is nothing proven
        with steps.step("one") as step:
            step.seen = "fine"
        assert steps.passed
        with pytest.raises(DrillFailure), steps.step("two"):
            expect(2, 1, "movements")
        assert not steps.passed

    def test_shows_what_was_wrong(self) -> None:
        printed = StringIO()
        steps = Steps("A drill", console=Console(file=printed))
        with pytest.raises(ValueError, match="broken"), steps.step("two"):
            raise ValueError("broken")
        steps.show()
        assert "WRONG: ValueError: broken" in printed.getvalue()


class TestMain:
    def test_of_the_restore_drill_ends_with_1_and_says_why(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def fails(steps: Steps, *_: object) -> None:
            with steps.step("restore"):
                raise DrillFailure("paid twice")

        monkeypatch.setattr(restore, "drill", fails)
        monkeypatch.setattr(restore.signal, "signal", lambda *_: None)
        monkeypatch.setattr(restore.surroundings, "product", nullcontext)
        assert restore.main() == 1
        printed = capsys.readouterr().out
        assert "WRONG: paid twice" in printed
        assert "Proven" not in printed
