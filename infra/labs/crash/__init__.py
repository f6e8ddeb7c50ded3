"""The crash laboratory: proof by simulation that payouts pay once, whatever breaks.

A run is one small story of one tenant, told by its seed: clients, schedulers, workers and people act at the same time
through the product's own doors on a real PostgreSQL, and are killed, paused, doubled and lied to at the points that
the design names. Then faults stop, everything drains, and every promise is checked against what really happened.

Nothing of the product is changed for it and nothing in the product knows of it. The laboratory stands where the
outside world is: the database driver's socket (connection), SQS (sqs), the payment provider (bank), the clocks
(simulated, and moved by hand), and the operating system that decides who goes next and who dies (baton).
"""
