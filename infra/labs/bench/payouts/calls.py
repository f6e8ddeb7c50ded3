"""Single calls through the API function."""

import json
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import psycopg

from infra.labs.bench.calls import Api
from infra.labs.bench.payouts.rowwise import Person


class Sale(NamedTuple):
    """A pending sale and whose it is."""

    person: Person
    sale_id: UUID


def largest(admin_url: str) -> tuple[UUID, list[Sale]]:
    """Find the tenant with the most people, and its pending sales, person by person."""
    with psycopg.connect(admin_url) as admin:
        rows = admin.execute(_PENDING).fetchall()
    return rows[0][0], [Sale(Person(tenant_id, user_id, [sale_id]), sale_id) for tenant_id, user_id, sale_id in rows]


def reconcile(api: Api, sales: Sequence[Sale]) -> None:
    """Approve sales through the API."""
    items = [{"sale_id": str(sale.sale_id), "status": "approved"} for sale in sales]
    counts = json.loads(api("POST", "/reconcile", "/reconcile", {}, {"items": items}))["counts"]
    assert counts == {"ok": len(items)}, counts


_PENDING = """
    select p.tenant_id, p.user_id, p.sale_id from pending_sales p
    where p.tenant_id = (select tenant_id from bench.tenants order by size desc limit 1)
    order by p.user_id, p.sale_id limit 40000"""
