"""Who works here, where, since when and for how much; and the calendar of work: holidays, shifts, rosters."""
