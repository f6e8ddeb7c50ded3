"""The pay register: each employee, each day, two halves; projected from the facts, never stored by hand.

Beside the files that every package has:
    calculation.py  one computation: a period's chunks, from claim to last chunk
    exports.py  the register as CSV and XLSX
    followers.py  what the register does when facts of people change
    projection.py  the bulk path: register and balances from facts
"""
