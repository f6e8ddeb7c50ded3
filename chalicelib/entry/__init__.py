"""The three doors: @endpoint (HTTP), @scheduled and @consumes (queue). Each owns one transaction."""
