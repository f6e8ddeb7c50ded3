"""What a month may cost, told before it is spent."""

from typing import Any

from infra.deploy.cloud import Resources
from infra.deploy.cloud.naming import physical, ref

MONTHLY = {"dev": 300, "prod": 2000}  # US dollars of the whole account, unless the deployment says otherwise


def resources(stage: str) -> Resources:
    """Return the alarms' topic at four fifths of the budget, and when the month is forecast to exceed it."""
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
                "NotificationsWithSubscribers": [_tell("ACTUAL", 80), _tell("FORECASTED", 100)],
            },
        }
    }


def _tell(kind: str, percent: int) -> dict[str, Any]:
    return {
        "Notification": {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        },
        "Subscribers": [{"SubscriptionType": "SNS", "Address": ref("AlarmTopic")}],
    }
