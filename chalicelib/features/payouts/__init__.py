"""Payouts: what employees are owed is paid once, whatever breaks.

The path from a sale to money that has arrived:
1. sale  features/sales books nothing yet: the sale is pending
2. advance  `runs.actions.pay_chunk` locks the employees' accounts and books part of each pending sale in advance
3. settlement  features/sales decides a sale: what it earned, less its advance, is payable (or owed back)
4. run  `runs/sql/pay.sql` turns what is payable, or the payslips of a payroll run, into payouts; the money leaves
   payable in the same statement, so that no debt is paid twice; large ones await approval (`runs.decision_actions`)
5. claim  `delivery.actions.take_next_step` claims the payout: fencing token and lease, committed before the call
6. provider  the adapter in `delivery/providers` pays, or answers what became of the payment; no transaction is open
7. settled  `delivery.payout_states.move` writes paid, or releases the money; any doubt is asked about, then a person
   decides

The path from a schedule to a consumer:
1. `runs.schedules.send_advance_runs`, `send_final_runs`  each hour, a message for each tenant with something to pay
2. `runs.consumers.run_payouts`  claims the hour, and does the run or its chunks (queue payout-runs)
3. `runs.consumers.move_payout`  takes each payout one step on (queue payouts)
4. `runs.schedules.send_due_payouts`  each minute, a message for each payout whose next attempt is due

    runs  runs, decisions of people, earmarks of payroll
    delivery  a payout on its way: its state machine, the providers, what an answer means
    batches  payouts by bank file: the files, and how a tenant's bank takes them
    matching  answers of banks, and the providers' own lists after a restore
    payables  what employees are owed and were paid
    models.py  the tables that all of them share
    events.py  webhooks and messages that they publish

Start with runs/actions.py, then delivery/actions.py.
"""
