"""What comes in and goes out about payout destinations. No error and no answer repeats a number."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    RootModel,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from chalicelib.features.people.destinations import rules
from chalicelib.kernel.schema import Input, Output, Text

Words = Annotated[Text, Field(max_length=140)]
Code = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(rules.checked_code)]


class _Destination(Input):
    """Its text, should it ever meet a log, says nothing of what came in."""

    model_config = ConfigDict(hide_input_in_errors=True)


class IbanInput(_Destination):
    """An account with an IBAN; spaces and small letters do no harm."""

    kind: Literal["iban"]
    holder: Words
    iban: Annotated[
        str,
        Field(max_length=60, repr=False, examples=["DE89 3704 0044 0532 0130 00"]),
        AfterValidator(rules.checked_iban),
    ]
    bic: Annotated[str, Field(max_length=20, examples=["COBADEFFXXX"]), AfterValidator(rules.checked_bic)] | None = None

    @model_validator(mode="after")
    def _keeps_the_number_to_its_place(self) -> "IbanInput":
        _refuse_repeated(self.iban, self.holder)
        return self


class AccountInput(_Destination):
    """An account that its bank knows by a number of its own. Say which bank by `bank_code`, `bank_name`, or both."""

    kind: Literal["account"]
    holder: Words
    account_number: Annotated[
        str, Field(max_length=60, repr=False, examples=["1234567890123"]), AfterValidator(rules.checked_account)
    ]
    bank_code: Code | None = None
    branch_code: Code | None = None
    bank_name: Words | None = None
    country: Annotated[
        str, Field(max_length=2, description="ISO 3166-1", examples=["BD"]), AfterValidator(rules.checked_country)
    ]

    @model_validator(mode="after")
    def _names_its_bank(self) -> "AccountInput":
        if self.bank_code is None and self.bank_name is None:
            raise ValueError("says no bank; give bank_code or bank_name")
        _refuse_repeated(self.account_number, self.holder, self.bank_name or "")
        return self


class SimulatedInput(_Destination):
    """No account: the simulated provider does with payments what `behaviour` says."""

    kind: Literal["simulated"]
    behaviour: rules.Behaviour


class ManualInput(_Destination):
    """No account: somebody hands the money over, and confirms each payout with a reference."""

    kind: Literal["manual"]
    method: rules.Method
    holder: Words | None = Field(None, description="who takes it, where that is not the person")


class DestinationInput(
    RootModel[Annotated[IbanInput | AccountInput | SimulatedInput | ManualInput, Field(discriminator="kind")]]
):
    """Where a person's payouts go: an IBAN, a local account, a hand, or the simulated provider."""

    model_config = ConfigDict(hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _with_plain_places(
        cls, value: Any, handler: "ModelWrapValidatorHandler[DestinationInput]"
    ) -> "DestinationInput":
        # a union puts the kind into the place of an error, where no caller has written it, and repeats a wrong kind
        try:
            return handler(value)
        except ValidationError as error:
            raise ValidationError.from_exception_data(cls.__name__, _moved(error)) from None


def _refuse_repeated(number: str, *shown: str) -> None:
    if any(rules.repeats(number, words) for words in shown):
        raise ValueError("repeats the account number in a field that is shown; give it in its own field only")


def _moved(error: ValidationError) -> list[InitErrorDetails]:
    """Return the details of a union's error with places and words that the caller knows."""
    details: list[InitErrorDetails] = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        kind, place = PydanticCustomError(detail["type"], detail["msg"]), detail["loc"][1:]
        if detail["type"].startswith("union_tag"):
            kind, place = PydanticCustomError("kind", "must be iban, account, manual or simulated"), ("kind",)
        details.append(InitErrorDetails(type=kind, loc=place, input=None))
    return details


class DestinationConfirmation(Input):
    """What is confirmed; without `id` whatever waits."""

    id: UUID | None = Field(None, description="of the bank details that you saw; 409 where they are others by now")


class DestinationView(Output):
    """Where a person's payouts go, or are asked to go, with the number masked."""

    id: UUID
    kind: rules.DestinationKind
    holder: str | None
    masked: str = Field(examples=["DE89 **** **** **** **30 00"])
    created_at: datetime
    created_by: str
    changed_at: datetime | None = Field(description="since when payouts go there; null: a request that waits")
    requested_at: datetime | None = Field(description="when the person asked for it, where they did")
    held_until: datetime | None = Field(description="nobody is paid to it before, unless a second person confirms it")
    confirmed_by: str | None
    confirmed_at: datetime | None


class DestinationRequest(DestinationView):
    """Where a person asks for their payouts to go."""

    user_id: UUID
