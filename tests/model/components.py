"""Make components of pay by chance: of every calculation and category, each needing some of those before."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from tests.model.payslip import CATEGORIES, COUNTED, Component, Own

NUMBERS = (
    *("base_salary", "earned_salary", "working_days", "daily_rate", "hourly_rate", "years_of_service", "kpi_score"),
    *COUNTED,
)
SIGNS = ("<", "<=", ">", ">=", "=", "<>")


@dataclass(frozen=True)
class Made:
    """Components in an order in which each finds what it needs, as they have to be made."""

    components: tuple[Component, ...]

    @property
    def dynamic(self) -> list[Component]:
        """List those whose amounts are given for each run."""
        return [one for one in self.components if one.amount is one.percent is one.formula is None]


def reordered(made: Made, chance: Random) -> Made:
    """Return the same components in another order in which each finds what it needs."""
    waiting, done = list(made.components), list[Component]()
    codes = {one.code for one in waiting}
    while waiting:
        ready = [one for one in waiting if not uses(one) & codes - {before.code for before in done}]
        chosen = chance.choice(ready)
        waiting.remove(chosen)
        done.append(chosen)
    return Made(tuple(done))


def random_components(chance: Random, count: int, minor_units: int) -> Made:
    """Make so many; earnings need nothing that needs the gross, or the gross would need itself."""
    made: list[Component] = []
    after_gross: set[str] = {"gross"}
    codes = [f"c{number:02d}" for number in range(count)]
    chance.shuffle(codes)  # so that the order of codes is not the order of needs
    for code in codes:
        category = chance.choice(CATEGORIES)
        known = [one.code for one in made]
        if category == "earning":
            known = [one for one in known if one not in after_gross]
        else:
            known = [*known, "gross"]
        component = random_component(chance, code, category, known, minor_units)
        if uses(component) & after_gross:
            after_gross.add(code)
        made.append(component)
    return Made(tuple(made))


def random_component(chance: Random, code: str, category: str, known: list[str], minor_units: int) -> Component:
    """Make one component that may need what is known."""
    everybody = chance.random() < 0.7
    match chance.choice(("fixed", "percentage", "percentage", "formula", "formula", "formula", "dynamic")):
        case "fixed":
            return Component(code, category, everybody, amount=random_amount(chance, minor_units))  # type: ignore[arg-type]
        case "percentage":
            percent = Decimal(chance.choice(("0", "0.125", "5", "9.333333", "33.33", "100")))
            base = chance.choice(("earned_salary", "base_salary", *known, *known))
            return Component(code, category, everybody, percent=percent, base=base)  # type: ignore[arg-type]
        case "formula":
            return Component(code, category, everybody, formula=random_formula(chance, known, 3))  # type: ignore[arg-type]
    return Component(code, category, False)  # type: ignore[arg-type]


def random_formula(chance: Random, known: list[str], depth: int) -> str:
    """Write a formula that comes to a number; products are kept small enough to be exact."""
    if depth == 0 or chance.random() < 0.2:
        return chance.choice((random_number(chance), chance.choice(NUMBERS), chance.choice(known or list(NUMBERS))))
    one = random_formula(chance, known, depth - 1)
    other = random_formula(chance, known, depth - 1)
    condition = f"{one} {chance.choice(SIGNS)} {other}"
    if chance.random() < 0.3:
        condition = f"({condition}) {chance.choice(('and', 'or'))} not absent_days > {chance.randint(0, 3)}"
    return chance.choice(
        (
            f"({one} + {other})",
            f"({one} - {other})",
            f"({one} * {random_number(chance)})",
            f"({one} / {chance.choice(('3', '7', 'absent_days', 'working_days', 'ot_hours'))})",
            f"-{one}",
            f"IF({condition}, {one}, {other})",
            f"MIN({one}, {other}, 20000)",
            f"MAX({one}, {other})",
            f"SUM({one}, {other}, kpi_score)",
            f"ROUND({one}, {chance.choice((-1, 0, 1, 2))})",
            f"{chance.choice(('FLOOR', 'CEIL', 'ABS'))}({one})",
            f"BRACKET({one}, 0, 0%, 5000, 10%, 12500.5, 17.5%)",
        )
    )


def random_number(chance: Random) -> str:
    """Write a number as a formula has it."""
    return chance.choice(("0", "1", "0.5", "1.5", "100", "250.25", "10%", "2.5%"))


def random_amount(chance: Random, minor_units: int) -> Decimal:
    """Make an amount that a currency can have."""
    return Decimal(chance.randint(1, 2_000_000)).scaleb(-minor_units)


def random_own(chance: Random, component: Component, minor_units: int) -> Own:
    """Return somebody something of their own for a component."""
    kind = chance.choice(("included", "excluded", "number"))
    if kind == "number" and component.percent is not None:
        return Own(percent=Decimal(chance.choice(("1.5", "12", "66.666666"))))
    if kind == "number" and (component.amount is not None or component.formula is not None):
        return Own(amount=random_amount(chance, minor_units))
    return Own(kind != "excluded")


def uses(component: Component) -> set[str]:
    """Return what a component needs, going by its words."""
    words = component.base if component.percent is not None else component.formula or ""
    for sign in "(),+-*/":
        words = words.replace(sign, " ")
    return set(words.split())
