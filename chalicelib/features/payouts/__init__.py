"""Payouts: what people are owed, on its way to them: paid once, whatever breaks.

A run books advances and turns each person's positive payable into one payout, in one transaction per chunk of people.
From then on a payout moves by itself: `sending` hands it to its provider or asks about it, `moving` is the one place
that changes its state, and the ladder in `rules` says when to look again.
"""
