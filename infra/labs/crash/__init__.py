"""The crash laboratory: simulation tests that every debt is paid exactly once, whatever fails.

A run is one small simulation of one tenant, determined by its seed: clients, schedulers, workers and operators act
concurrently through the product's own entry points on a real PostgreSQL, with fault injection at named points.
Then faults stop, everything drains, and each invariant is checked against the provider's own books.

The product is not changed for it and does not know of it. The laboratory replaces the outside world: the database
driver's exchanges with the server, SQS, the payment provider, the clocks, and the scheduling of processes.
Decision 10 says why. The path of a run, in the order in which its files are used:

1. __main__.py     the command line: runs, defects, real
2. many.py         many seeds on several processes, counted and printed in a table
3. laboratory.py   one run, from its seed to its outcome
4. world.py        the database of the runs, with a simulated clock, and the product connected to it
5. modes.py        what the provider supports, and which safety net of the product is removed
6. faults.py       the crash points and faults, and the random draw of those of one run
7. simulation.py   one run: its tenant, the product's entry points, the acknowledged writes; cast.py makes the tenant
8. baton.py        actors as threads of which one runs at a time, chosen by the seed
9. connection.py   the driver's connection: kills and lost commits around every statement
10. sqs.py         SQS with duplicates, reordering and losses; bank.py the provider; files.py and reports.py a bank
                   that takes files
11. actors.py      what clients, workers, schedules and the operator do
12. drain.py       the end of a run without faults; restore.py a restore of the database before it
13. invariants.py  what must hold afterwards

Beside them: defects.py breaks the product on purpose and names the invariant that detects it (mutation tests); real.py
and worker.py kill real processes with SIGKILL.
"""
