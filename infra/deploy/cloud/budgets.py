"""The monthly budget of the account, with notifications before it is spent."""

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import physical, ref

MONTHLY = {"dev": 300, "prod": 2000}  # US dollars of the whole account, unless the deployment says otherwise


def resources(stage: str) -> Resources:
    """Return the budget; it notifies the alarms' topic at 80 % spent, and when the forecast exceeds it."""
    return {
        "Budget": {
            "Type": "AWS::Budgets::Budget",
            "Properties": {
                "Budget": {
                    "BudgetName": physical(stage, "month"),
                    "BudgetType": "COST",
                    "TimeUnit": "MONTHLY",
                    "BudgetLimit": {"Amount": ref("MonthlyBudget"), "Unit": "USD"},
                },
                "NotificationsWithSubscribers": [_notification("ACTUAL", 80), _notification("FORECASTED", 100)],
            },
        }
    }


def _notification(kind: str, percent: int) -> dict[str, Any]:
    return {
        "Notification": {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        },
        "Subscribers": [{"SubscriptionType": "SNS", "Address": ref("AlarmTopic")}],
    }
