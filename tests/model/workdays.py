"""Return which halves an employee's own calendar calls holiday, day off or working (section 2)."""

from datetime import date, timedelta

from tests.model.facts import DayEdit, Employee, Facts, HalfName, RosterDay, Salary, Shift, Tenant


def days_between(start: date, end: date) -> list[date]:
    """List every day from start to end, both included; none if end is before start."""
    days = []
    day = start
    while day <= end:
        days.append(day)
        day = day + timedelta(days=1)
    return days


def period_of(tenant: Tenant, month: str) -> tuple[date, date]:
    """Return the first and last day of pay period `YYYY-MM`."""
    year, number = int(month[:4]), int(month[5:])
    next_year, next_number = (year + 1, 1) if number == 12 else (year, number + 1)
    last_year, last_number = (year - 1, 12) if number == 1 else (year, number - 1)
    cut = tenant.cycle_start_day
    if cut == 1:
        return date(year, number, 1), date(next_year, next_number, 1) - timedelta(days=1)
    return date(last_year, last_number, cut), date(year, number, cut) - timedelta(days=1)


def employed(employee: Employee, day: date) -> bool:
    """Return whether the day is inside the employment."""
    if day < employee.joined_on:
        return False
    return employee.left_on is None or day <= employee.left_on


def roster_of(facts: Facts, day: date) -> RosterDay | None:
    """Return the roster row of the day, if there is one."""
    for row in facts.roster:
        if row.day == day:
            return row
    return None


def edit_of(facts: Facts, day: date) -> DayEdit | None:
    """Return what a person wrote over the day, if anything."""
    for edit in facts.edits:
        if edit.day == day:
            return edit
    return None


def shift_of(employee: Employee, facts: Facts, day: date) -> Shift | None:
    """Return the day's shift: the roster's, else the employee's usual one."""
    row = roster_of(facts, day)
    if row is not None and row.shift is not None:
        return row.shift
    return employee.shift


def is_holiday(employee: Employee, facts: Facts, day: date, half: HalfName) -> bool:
    """Return whether a public holiday closes this half for this employee."""
    row = roster_of(facts, day)
    if row is not None and row.works_holidays:
        return False
    of_tenant = [h for h in facts.holidays if h.day == day and h.branch is None]
    chosen = of_tenant
    if employee.branch is not None:
        of_branch = [h for h in facts.holidays if h.day == day and h.branch == employee.branch.name]
        if employee.branch.own_holidays or of_branch:
            chosen = of_branch
    return any(h.half is None or h.half == half for h in chosen)


def is_week_off(tenant: Tenant, employee: Employee, facts: Facts, day: date, half: HalfName) -> bool:
    """Return whether this half is a weekly day off: roster row first, then branch, then tenant."""
    row = roster_of(facts, day)
    if row is not None:
        return row.off in ("full", half)
    weekend = tenant.weekend
    if employee.branch is not None and employee.branch.weekend is not None:
        weekend = employee.branch.weekend
    return day.isoweekday() in weekend


def is_working(tenant: Tenant, employee: Employee, facts: Facts, day: date, half: HalfName) -> bool:
    """Return whether the calendar wants work on this half, whatever a person edited."""
    return not is_holiday(employee, facts, day, half) and not is_week_off(tenant, employee, facts, day, half)


def counts_as_work(tenant: Tenant, employee: Employee, facts: Facts, day: date, half: HalfName) -> bool:
    """Return whether the half is in the divisor: working, and not edited into a holiday or day off."""
    edit = edit_of(facts, day)
    if edit is not None:
        written = edit.first if half == "first" else edit.second
        if written is not None and written.status in ("holiday", "week_off"):
            return False
    return is_working(tenant, employee, facts, day, half)


def salary_on(employee: Employee, day: date) -> Salary | None:
    """Return the salary row in force on the day: the latest that has taken effect."""
    found = None
    for row in employee.salaries:
        if row.effective_from <= day and (found is None or row.effective_from > found.effective_from):
            found = row
    return found
