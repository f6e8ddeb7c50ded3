"""The nightly expiry of leave, as a part of the bench."""
