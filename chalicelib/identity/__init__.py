"""Authentication and authorization: who calls, for which tenant, with which permissions.

Start with callers.py. A request takes this path:
1. callers.py      turns credentials into a scope, inside the transaction that the request will use
2. keys.py         API keys; wrong_keys.py slows repeated wrong ones, key_use.py records when a key was used last
3. tokens.py       OIDC tokens
4. permissions.py  the matrix of roles and permissions, with how many people each covers
5. scope.py        the value that every function gets first: tenant, actor, permissions, now, session

models.py has the tables: tenants, members, API keys, platform admins.
"""
