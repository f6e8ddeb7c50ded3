"""Pay periods: their states and moves, how fresh they are, and the locks that whoever changes facts takes.

Beside the files that every package has:
    facts.py  the one construct for changing facts, and who follows a change
    locks.py  the people lock, and the order of all locks
    periods.py  verbs on pay periods that every feature which writes facts uses
    windows.py  which days and whom a computation covers
    working_days.py  changes of the days that people work, and who follows them
"""
