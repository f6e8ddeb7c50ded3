"""Edits made before cells had versions: each day counts its own, and a cleared day keeps its count."""

from migrations.setup import Urls
from tests.support.migrating import upgraded

INSERT = (
    "insert into day_edits (tenant_id, user_id, day, first_code, edited_by, edited_at, superseded_by, superseded_at)"
    " values (%s, %s, %s, %s, 'hr', '2026-01-09', %s, %s)"
)


def test_days_count_their_edits(server: str, template: Urls) -> None:
    with upgraded(server, to="2026_12_01_1010") as earlier:
        tenant_id = earlier.tenant_id
        user_id = earlier.rows("insert into users (tenant_id, name) values (%s, 'Rahim') returning id", tenant_id)[0][0]
        for day, code, by in (
            ("2026-01-04", "P", "hr"),
            ("2026-01-04", "A", None),  # edited twice, in force
            ("2026-01-05", "P", "boss"),  # edited once and cleared
            ("2026-01-06", "O", None),
        ):
            earlier.run(INSERT, tenant_id, user_id, day, code, by, by and "2026-01-10")
        earlier.go()
        rows = earlier.rows(
            "select day::text, first_code, version, edited_by, superseded_at is null from day_edits"
            " order by day, version"
        )
    assert [tuple(one) for one in rows] == [
        ("2026-01-04", "P", 1, "hr", False),
        ("2026-01-04", "A", 2, "hr", True),
        ("2026-01-05", "P", 1, "hr", False),
        ("2026-01-05", None, 2, "boss", True),
        ("2026-01-06", "O", 1, "hr", True),
    ]
