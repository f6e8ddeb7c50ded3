"""The table by which the packaged API imports its routes at the first request."""

import json
from pathlib import Path

import pytest

import app
from chalicelib.entry.lazy_loading import LazyChalice
from infra.deploy.packaging import lazy_loading


class TestTable:
    def test_has_every_path_with_the_modules_of_its_endpoints(self) -> None:
        modules = lazy_loading.table()
        assert set(modules) == set(app.app.routes)
        assert modules["/balances/{month}"][-1] == "chalicelib.features.balances.routes"

    def test_puts_those_first_that_register_something_when_imported(self) -> None:
        modules = lazy_loading.table()["/forms/submissions/{submission_id}"]
        assert "chalicelib.features.leave.types.routes" in modules, "approving a leave form asks for leave"
        assert lazy_loading.acts("import a\na.register()\n")
        assert not lazy_loading.acts('"""Says."""\na = b()\n\n@c\ndef d(): ...\n')

    def test_knows_all_who_do(self) -> None:
        assert lazy_loading.acting_elsewhere() == []

    def test_needs_everything_for_what_speaks_of_everything(self) -> None:
        assert lazy_loading.table()["/openapi.json"] == lazy_loading.modules()


class TestRegisterFor:
    def test_registers_the_routes_of_a_path_at_its_first_request(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "routes_of_jobs.py").write_text(
            "from chalice import Blueprint\n\nblueprint = Blueprint(__name__)\n\n\n"
            "@blueprint.route('/jobs')\ndef list_jobs():\n    return 'jobs'\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        (tmp_path / "lazy_loading.json").write_text(json.dumps({"/jobs": ["routes_of_jobs"]}))
        late = LazyChalice(app_name="late", table=tmp_path / "lazy_loading.json")
        assert (late.is_lazy, dict(late.routes)) == (True, {})
        late.register_for("/unknown")
        late.register_for(None)
        assert dict(late.routes) == {}
        late.register_for("/jobs")
        late.register_for("/jobs")
        assert set(late.routes["/jobs"]) == {"GET"}

    def test_registers_all_at_once_where_there_is_no_table(self) -> None:
        assert not app.app.is_lazy
        assert len(app.app.routes) > 100
