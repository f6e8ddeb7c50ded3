"""The local stack under more than it can do: five times its capacity, and one tenant with twenty times its share."""
