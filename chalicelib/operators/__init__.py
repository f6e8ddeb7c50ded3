"""The operators' commands; `chalicelib.cli` puts them together. Nothing of this is loaded in Lambda.

The path of a command, in order:

1. `terminal`: options, JSON and tables, an error as one line.
2. `scopes`: a transaction of the platform or of one tenant, audited under the operator's account name.
3. One module per subject: `access` (tenants, API keys), `admins`, `suspension`, `jobs`, `payouts`, `providers`,
   `leave`, `backlog` (the command `waiting`), `dead_letters`, `rotation` (data keys), `checks` (the command `check`),
   `schema` (migrate), `erasure` and `person_export` (GDPR), `export` (all data of a tenant), `demo`.
4. What they share: `watch` follows a job, `work` processes a job's messages in this process, `bucket` lists and deletes
   files of a tenant, `cell_move` writes a zip file whole or not at all.

The checks are `sql/*.sql`: one row per subject with its problem or null; `checks` counts them.
"""
