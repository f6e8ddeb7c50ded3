"""Accrual: earned balances, what the days of a pay period are worth so far, with the lines that explain it.

Balances stand above the pay register and follow it: the projection of register rows computes them in its transaction,
so a register row and its balance never disagree.

    pay_register.projection -> followers.py -> actions.py -> sql/earn.sql -> queries.py -> routes.py

Start with sql/earn.sql, which is the whole calculation. Beside the files that every package has:
    followers.py  computes or drops balances when register rows change
"""
