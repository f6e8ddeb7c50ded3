"""The chunk query: the employees whom a job concerns, in ranges by id of about the same size."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, Text, Uuid, bindparam, cast, func, select, text

from chalicelib.identity.scope import Scope
from chalicelib.jobs.progress import JobChunk


def load_chunks(scope: Scope, candidates: str, values: Mapping[str, Any], *, size: int) -> list[JobChunk]:
    """Split the employees whom a query selects as `user_id`, each once, into ranges of at most `size`, in order of id.

    The query has the parameters :tenant_id and `values`. Where it selects nobody there is no chunk.
    """
    rows = scope.session.execute(_chunk_query(candidates), {"tenant_id": scope.tenant_id, **values, "chunk_size": size})
    return [JobChunk(*row) for row in rows]


@cache
def _chunk_query(candidates: str) -> Select[Any]:
    """Make the statement that numbers the candidates by id and selects each range: number, first, last, count."""
    candidate = text(candidates).columns(user_id=Uuid).cte("candidates")
    position = func.row_number(type_=Integer).over(order_by=candidate.c.user_id) - 1
    numbered = select(
        candidate.c.user_id, (position // bindparam("chunk_size", type_=Integer)).label("number")
    ).subquery("numbered")
    user_id = cast(numbered.c.user_id, Text)  # as there is no min(uuid); text has the same order
    return (
        select(numbered.c.number, cast(func.min(user_id), Uuid), cast(func.max(user_id), Uuid), func.count())
        .group_by(numbered.c.number)
        .order_by(numbered.c.number)
    )
