"""`python -m infra.deploy.cloud dev` prints what is merged into Chalice's template; --foundation: what is below it."""

import argparse
import json
import sys

import app as app  # registers every queue, schedule and endpoint
from infra.deploy.cloud.foundation import document
from infra.deploy.cloud.sizes import SIZES
from infra.deploy.cloud.template import merge_template


def main() -> None:
    """Print the document as JSON."""
    asked = argparse.ArgumentParser(prog="python -m infra.deploy.cloud", description=__doc__)
    asked.add_argument("stage", choices=SIZES)
    asked.add_argument("--foundation", action="store_true", help="the document that is deployed first")
    said = asked.parse_args()
    json.dump(document(said.stage) if said.foundation else merge_template(said.stage), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
