"""The words of the domain: money, pay period, halves of a day, states, errors. No I/O."""
