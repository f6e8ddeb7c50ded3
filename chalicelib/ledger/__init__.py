"""The ledger: all money owed to or by an employee, in double entry. Lines are never changed; balances follow them.

A line is a debit and a credit of one amount, so it cannot be unbalanced. Its natural key (subject, event, revision,
line) makes posting twice impossible. The database keeps the balances; the application has no right to change them.

models.py    accounts, events, tables
postings.py  every posting in one table: event, line, debit, credit
accounts.py  open and lock accounts
queries.py   balances and statement of an employee; sql/ has its statements

How to post:
1. Open the accounts of the employees (`accounts.open_for`), once per employee and currency; repeating is harmless.
2. Lock the accounts of all these employees (`accounts.lock_for`) before the first line. An employee's payable account
   is the lock on everything about their money. A posting also locks the tenant's own accounts until the commit, so a
   transaction that comes back for another employee could deadlock.
3. Only now read what the posting depends on: what was read before may have changed while waiting for the locks.
4. Insert the lines into `ledger_entries`, best in the statement that also writes what they are about, with the
   subject's id (sale, payout, payslip, encashment), the event, and numbers from 1 as `line`. What can happen to a
   subject more than once counts `revision` up. To take something back, post it with debit and credit swapped under an
   event of its own. A line of zero is left out.

A new posting is an event in `models.LedgerEvent`, its lines in `postings.POSTINGS`, and the feature's statement. The
database accepts any event, and only `payout` has a meaning to others: it ends what the next payout pays. The lines are
in employees' statements without further work; `payouts.payables.employee_queries` may learn to say what they concern.

A new kind of account (contributions, loans) needs a migration that widens the check on `ledger_accounts.kind`, a member
of `models.LedgerAccount`, and a line in sql/open_accounts.sql. An account of the employee, like payable, is also named
in the table's second check and in `ledger_keep()`, and is moved only while the employee's accounts are locked.
"""
