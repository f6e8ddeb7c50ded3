"""What runs in AWS, as the document that `chalice package --merge-template` takes.

It is made from the product's own registries: a new consumer or schedule has its queue, permissions, logs and alarms
without a line here. Network and database are given by parameters.
"""

from typing import Any

Resources = dict[str, Any]
