"""Payout runs: what is owed becomes payouts; approval and decisions by hand.

Beside the files that every package has:
    participants.py  who had a part in a payout, and may therefore not approve it
"""
