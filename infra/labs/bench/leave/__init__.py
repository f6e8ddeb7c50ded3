"""The night on which days expire, as a part of the bench."""
