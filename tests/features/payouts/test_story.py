"""Three sales of 40.00: the main job of payouts, from sale to money."""

from typing import Any
from uuid import uuid4

from tests.support.cast import Cast
from tests.support.stack import Stack


def seller(cast: Cast, **more: Any) -> str:
    """Make a person who is paid from sales."""
    return str(cast.admin.ok("POST", "/sales/user", {"name": "Mina", **more})["id"])


def sale(cast: Cast, user_id: str, earning: str = "40.00", **more: Any) -> str:
    return str(cast.admin.ok("POST", "/sales", {"user_id": user_id, "earning": earning, **more})["id"])


def run(cast: Cast, running: Stack, kind: str) -> dict[str, Any]:
    """Run advances or finals, and everything that follows."""
    job = cast.admin.ok("POST", f"/payouts/{kind}/run", headers={"idempotency-key": str(uuid4())})
    running.drain()
    return dict(cast.admin.ok("GET", f"/jobs/{job['job_id']}"))


def payouts(cast: Cast, query: str = "") -> list[tuple[str, str]]:
    return [(one["amount"], one["status"]) for one in cast.admin.ok("GET", f"/payouts{query}")["items"]]


class TestThreeSales:
    def test_pay_an_advance_of_twelve_and_then_sixty_eight(self, acme: Cast, running: Stack) -> None:
        mina = seller(acme)
        first, second, third = (sale(acme, mina) for _ in range(3))
        assert run(acme, running, "advance")["result"] == {"payouts": 1, "held": 0, "amounts": {"BDT": "12.00"}}
        assert payouts(acme) == [("12.00", "paid")]
        decided = acme.admin.ok(
            "POST",
            "/reconcile",
            {
                "items": [
                    {"sale_id": first, "status": "declined"},
                    {"sale_id": second, "status": "approved"},
                    {"sale_id": third, "status": "approved"},
                ]
            },
        )
        assert decided["counts"] == {"ok": 3}
        run(acme, running, "final")
        assert payouts(acme) == [("12.00", "paid"), ("68.00", "paid")]
        run(acme, running, "final")
        run(acme, running, "advance")
        assert payouts(acme) == [("12.00", "paid"), ("68.00", "paid")]
