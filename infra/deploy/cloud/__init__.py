"""What runs in AWS, as the document that `chalice package --merge-template` takes.

It is made from the product's own registries: a new consumer or schedule has its queue, permissions, logs and alarms
without a line here. Network, database and topic of alarms are a document of their own, the foundation, deployed first.
"""

from typing import Any

Resources = dict[str, Any]
