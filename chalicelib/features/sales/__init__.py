"""Sales: what employees earn from what they sold, paid in advance in part and decided later.

The path of a sale, with what is posted to the ledger:
1. it is added as pending: POST /sales (actions.add_sale) or a file (import_actions, import_rules); nothing is posted
2. a payout run pays a part of it in advance: actions.ADVANCE, debit advances, credit payable
3. POST /reconcile approves or declines it: actions.decide, sql/decide.sql; a correction reverses what was posted

`pending_sales` is the work list of those to decide. Start with sql/decide.sql, where the money moves.
"""
