"""All money owed to or by a person, in double entry: lines that are never changed, and the balances they come to.

A line is a debit and a credit of one amount, so it cannot be unbalanced. Its natural key (subject, event, revision,
line) makes booking twice impossible. The database keeps the balances; the application has no right to.

How to book:
- open the accounts of whom it is about (`accounts.open_for`), once per person and currency; again is harmless;
- hold everybody it is about (`accounts.hold`), all of them before the first line: a person's payable account is the
  lock on everything that concerns their money, and a booking also keeps the tenant's own accounts until the commit, so
  whoever came back for another person could wait for somebody who waits for them;
- read what the booking depends on only now: what was read before may have changed while waiting;
- insert the lines into `ledger_entries`, best by the statement that also does whatever they are about, with the
  subject's id (sale, payout, payslip, encashment), the event, and numbers from 1 as `line`. What can happen to a
  subject more than once counts `revision` up. To take something back, book it the other way round under an event of
  its own. A line of zero is left out.

A feature that comes new adds its event to `models.Event` and to nothing else: the database takes any word, and `payout`
alone has a meaning to others (it ends what the next payout pays). Its lines stand in people's statements by themselves;
`payouts.person_queries` may learn to say what they concern. A new kind of account (contributions, loans) needs a
migration that widens the check on `ledger_accounts.kind`, a member of `models.Account`, and a line in the kinds that
`accounts.open_for` opens; one that is a person's, like payable, is also named in the table's second check and in
`ledger_keep()`, and is moved only while that person is held. A payslip of gross 100, tax 8 and net 92 is two lines:
wage_cost to payable 92, wage_cost to taxes_withheld 8.
"""
