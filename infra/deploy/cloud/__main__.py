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
    parser = argparse.ArgumentParser(prog="python -m infra.deploy.cloud", description=__doc__)
    parser.add_argument("stage", choices=SIZES)
    parser.add_argument("--foundation", action="store_true", help="the document that is deployed first")
    arguments = parser.parse_args()
    json.dump(
        document(arguments.stage) if arguments.foundation else merge_template(arguments.stage), sys.stdout, indent=2
    )
    print()


if __name__ == "__main__":
    main()
