"""The three kinds of entry points: @endpoint (HTTP), @scheduled (time) and @consumes (queue). Each owns a transaction.

Start with http.py. A request takes this path:
1. lazy_loading.py   the application object; in Lambda it imports a feature's routes on the first request for one
2. gateway.py        writes what Chalice itself refuses (404, 405, 415, 500) as a problem document
3. http.py           @endpoint: transaction, authentication, permission, idempotency, validation, reply, log
4. limits.py         the tenant's rate limit, leased from the database and counted in memory
5. idempotency.py    replays the stored reply of an Idempotency-Key
6. bodies.py         parses the body strictly; rows.py reads imports of many rows, CSV or JSON
7. get_or_404.py     one row by its id; paging.py a page of a list; versions.py the optimistic lock (If-Match)
8. problems.py       turns errors into problem documents (RFC 9457)
9. reply_headers.py  security and caching headers of every reply

messages.py          @scheduled and @consumes: one transaction a message, side effects between two, dead letters
registry.py          every entry point as it was declared: the source of routing, permission and validation
openapi.py           the API document, made from the registry
sheets.py            tables as CSV and XLSX files
"""
