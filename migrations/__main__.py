"""`python -m migrations`: roles, database and schema of a server, as its administrator. It may be repeated.

The server and its administrator are libpq's own variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGSSLMODE. The logins'
passwords are APPLICATION_PASSWORD and MIGRATOR_PASSWORD; they become what is said, so this is also how one is changed.
"""

import argparse
import os

from migrations import setup


def main() -> None:
    """Prepare the server and bring the schema up to date, and tell what it does."""
    asked = argparse.ArgumentParser(
        prog="python -m migrations", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--to", default="head", help="the revision to stop at (head: the newest)")
    revision = asked.parse_args().to
    os.environ.setdefault("PGDATABASE", "postgres")  # which every server has; ours is made from there
    passwords = {"wagebook_app": _password("APPLICATION_PASSWORD"), "wagebook_migrator": _password("MIGRATOR_PASSWORD")}
    urls = setup.prepare("", passwords)
    print("Roles and database are there; the logins have the passwords that were said.", flush=True)
    setup.upgrade(urls.migrator, revision, on_retry=_in_vain)
    print(f"The schema is at {revision}.")


def _password(name: str) -> str:
    if not os.environ.get(name):
        raise SystemExit(f"{name} is not said; see python -m migrations --help.")
    return os.environ[name]


def _in_vain(tries: int) -> None:
    print(f"Somebody holds a table, or migrates too; try {tries} of {setup.TRIES} gave up and comes again.", flush=True)


if __name__ == "__main__":
    main()
