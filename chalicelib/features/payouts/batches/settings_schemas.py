"""What comes in and goes out about how a bank takes files. No error and no answer repeats an account number."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from chalicelib.features.payouts.batches.bank_files.delimited import Template
from chalicelib.features.people.destinations import rules
from chalicelib.kernel.schema import Input, Output, Text, Version

Format = Literal["pain.001", "delimited"]
Name = Annotated[Text, Field(max_length=70)]
Code = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(rules.checked_code)]


class Payer(Input):
    """The account that pays: an IBAN, or the number that its own bank knows it by."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: Name
    iban: Annotated[str, Field(max_length=60), AfterValidator(rules.checked_iban)] | None = Field(None, repr=False)
    account_number: Annotated[str, Field(max_length=60), AfterValidator(rules.checked_account)] | None = Field(
        None, repr=False
    )
    bic: Annotated[str, Field(max_length=20), AfterValidator(rules.checked_bic)] | None = None
    bank_code: Code | None = None
    branch_code: Code | None = None

    @model_validator(mode="after")
    def _has_one_number(self) -> Self:
        if (self.iban is None) == (self.account_number is None):
            raise ValueError("say either iban or account_number")
        return self


class BankFileSettings(Input):
    """How the bank takes payment files: ISO 20022 (pain.001.001.09), or columns as the bank asks for them."""

    model_config = ConfigDict(hide_input_in_errors=True)

    format: Format
    payer: Payer | None = Field(None, description="needed for pain.001; delimited files have no place for it")
    template: Template | None = Field(None, description="needed for delimited")

    @model_validator(mode="after")
    def _says_what_its_format_needs(self) -> Self:
        if self.format == "pain.001" and self.payer is None:
            raise ValueError("pain.001 needs the payer: the account that the bank pays from")
        if (self.format == "delimited") != (self.template is not None):
            raise ValueError("delimited needs a template, and pain.001 takes none")
        return self


class PayerView(Output):
    """The account that pays, its number masked."""

    name: str
    masked: str


class BankFileSettingsView(Output):
    """How the bank takes payment files."""

    format: Format
    payer: PayerView | None
    template: Template | None
    version: Version
