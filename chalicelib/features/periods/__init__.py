"""Pay periods, of which this package is the one owner: their states, their freshness, and who is notified of changes.

Start with facts.py, the one construct in which facts change; the path of a changed fact:

1. facts.changing  locks the employees (locks.lock_people), then share-locks the pay periods of the days changed
2. the caller writes the facts
3. facts.FOLLOWERS  do what follows in the same transaction: leave recounts, the register and balances are computed
4. an open period that was not computed is marked stale (freshness), one that was is noted as revised; a locked one
   notes a late correction (late_corrections), which the next payroll run pays

Freshness, one state machine per period, of its register and of the payroll run calculated from it (freshness.py; each
event sets one moment of the database's clock, and moments are compared):

                 begin_computation                  end_computation, and no fact changed meanwhile
                 (computing_since)                  (computed_at = computing_since)
    +-------+ ----------------------> +-----------+ ------------------------------> +-------+
    | STALE |                         | COMPUTING |                                 | FRESH |
    +-------+ <---------------------- +-----------+                                 +-------+
        ^      a fact changes, or the computation is lost (changed_at)                  |
        +-------------------------------------------------------------------------------+
               a fact changes and waits to be computed: mark_stale (changed_at)

    A fresh register is BEHIND where it was not computed up to yesterday or the period's end (computed_as_of).
    A payroll run is CALCULATED by mark_calculated (calculated_at) and OUTDATED when a fact changes after it, whether
    it waits to be computed (changed_at) or was computed with the change (mark_revised: revised_at).

States (states.py): open -> locked -> paid, with unlocking, and back from paid where money came back.

Beside the files that every package has:
    cycle.py  another first day of all periods: they and what is derived from them are dropped
    facts.py  the one construct for changing facts, and who follows a change
    freshness.py  the state machine above: its moments and conditions
    late_corrections.py  facts that changed in locked periods
    locks.py  the locks of employees, calendars and pay periods, and the order of all locks
    periods.py  noting changed facts without computing them, as bulk writers do; making and locking periods
    states.py  the allowed moves between states, and the statements that move
    windows.py  the window of days and the employee filter of a set-based statement
    working_days.py  changes of the days that people work, and who follows them
"""
