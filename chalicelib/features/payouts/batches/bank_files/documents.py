"""The messages in a bank's document, and their readers."""

from collections.abc import Callable

from chalicelib.features.payouts.batches.bank_files import reports
from chalicelib.features.payouts.batches.bank_files.camt import BankStatement, StatementReader
from chalicelib.features.payouts.batches.bank_files.pain002 import StatusReader, StatusReport
from chalicelib.kernel.errors import Invalid

Message = StatusReport | BankStatement
_Reader = StatusReader | StatementReader
_READERS: dict[str, Callable[[], _Reader]] = {
    "CstmrPmtStsRpt": StatusReader,
    "pain.002.001.02": StatusReader,  # the root element of version 2
    "BkToCstmrStmt": lambda: StatementReader("camt.053"),
    "BkToCstmrDbtCdtNtfctn": lambda: StatementReader("camt.054"),
}
# Its entries are provisional: money is settled by the statement that follows.
_REFUSED = {"BkToCstmrAcctRpt": "an intraday report (camt.052), which is provisional: send the statement (camt.053)"}


def read(data: bytes) -> list[Message]:
    """Read the status reports, statements and notifications of a document. Raises Invalid if there are none."""
    messages: list[Message] = []
    reader: _Reader | None = None
    first_names: list[str] = []
    for part in reports.iterate_elements(data):
        if not part.is_whole:
            first_names += [part.name] if len(first_names) < 2 else []
            if part.name in _REFUSED:
                raise Invalid(f"This is {_REFUSED[part.name]}.")
            if part.name in _READERS:
                reader = _READERS[part.name]()
        elif reader is not None and part.name in _READERS:
            messages.append(reader.finish(part.element))
            part.element.clear()
            reader = None
        elif reader is not None:
            reader.take(part)
    if not messages:
        raise Invalid(
            "This holds no payment status report (pain.002), statement (camt.053) or notification (camt.054);"
            f" it begins with {' and '.join(first_names)[:100]}."
        )
    return messages
