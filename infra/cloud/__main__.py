"""`python -m infra.cloud dev` prints what is merged into the template that Chalice makes."""

import argparse
import json
import sys

from infra.cloud.template import merge_template


def main() -> None:
    """This will print the document as JSON."""
    asked = argparse.ArgumentParser(prog="python -m infra.cloud", description=__doc__)
    asked.add_argument("stage", help="dev, prod")
    json.dump(merge_template(asked.parse_args().stage), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
