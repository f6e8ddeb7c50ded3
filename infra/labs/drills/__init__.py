"""Drills: what nobody wants to do for the first time on a bad night, done by one command, with proof of what it did."""
