"""Balances follow the register: computed or dropped with its rows, in the same transaction."""

from chalicelib.features.balances import actions
from chalicelib.features.periods.windows import EmployeeFilter, PeriodWindow
from chalicelib.identity.scope import Scope


class BalancesFollower:
    """The register's follower (pay_register.projection.RegisterFollower)."""

    def rows_projected(self, scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
        """Compute the balances of the employees whose rows were projected."""
        actions.earn(scope, window=window, employee_filter=employee_filter)

    def rows_dropped(self, scope: Scope, *, window: PeriodWindow, employee_filter: EmployeeFilter) -> None:
        """Drop the balances of employees who are not employed in the period."""
        actions.drop(scope, window=window, employee_filter=employee_filter)

    def all_rows_dropped(self, scope: Scope) -> None:
        """Drop all balances of the tenant."""
        actions.drop_all(scope)


FOLLOWER = BalancesFollower()
