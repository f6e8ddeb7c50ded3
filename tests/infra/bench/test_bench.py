"""The bench on a few hundred employees: the data is as said, the slow way agrees with the product, none missing."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.labs.bench import __main__ as bench
from infra.labs.bench import data, measures, product, rowwise
from infra.labs.bench.table import Line, Target, show, write


@pytest.fixture(scope="module")
def loaded() -> Iterator[data.Loaded]:
    with pytest.MonkeyPatch.context() as patch, data.loaded(600) as made:
        patch.setenv("APPLICATION_DATABASE_URL", "")  # so that it is put back
        product.use(made.urls.application)
        yield made
        product.leave()


class TestFill:
    def test_makes_tenants_of_very_uneven_size(self, loaded: data.Loaded) -> None:
        sizes = sorted(_all(loaded, "select count(*) from employments group by tenant_id"))
        assert sum(size for (size,) in sizes) == 600
        assert len(sizes) == data.tenants_of(600)
        assert sizes[-1][0] > 5 * sizes[0][0]

    def test_gives_everybody_a_month_of_facts(self, loaded: data.Loaded) -> None:
        assert 28 * 600 < loaded.rows["attendance"] < 32 * 600
        [(late, frequencies, absent_on_fridays)] = _all(
            loaded,
            "select (select avg((late_minutes > 0)::int) from attendance where present > 0),"
            " (select count(distinct frequency) from salaries),"
            " (select count(*) from attendance where extract(isodow from day) = 5 and present = 0)",
        )
        assert 0.05 < late < 0.11
        assert frequencies == 3
        assert absent_on_fridays > 600

    def test_keeps_every_reference(self, loaded: data.Loaded) -> None:
        # loading skips the checks of foreign keys, so they are made here
        for table, query in _all(loaded, REFERENCES):
            assert _all(loaded, query) == [(0,)], table


class TestHalvesOf:
    def test_agrees_with_the_product(self, loaded: data.Loaded) -> None:
        product.compute(product.chunks(loaded.admin_url))
        theirs = dict(_all(loaded, "select user_id, halves from pay_registers"))
        assert len(theirs) == 600
        with rowwise.by_driver(loaded.urls.application) as one:
            for person in rowwise.prepare(loaded.admin_url, 100):
                assert one(person) == theirs[person.user_id]


class TestMeasures:
    def test_print_all_lines(self, loaded: data.Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        lines = [*measures.bulk(loaded, print, times=1, sample=5), *measures.single(loaded, print, times=2)]
        capsys.readouterr()
        show(lines, title="all", command="make bench", notes=bench.NOTES)
        printed = capsys.readouterr().out
        for word in (
            "register, built",
            "a time, by hand",
            "balances, on top",
            "PL/pgSQL",
            "two workers",
            "grid",
            "correction",
        ):
            assert word in printed
        write(tmp_path / "bench.json", lines, command="make bench", notes=bench.NOTES)
        assert len(json.loads((tmp_path / "bench.json").read_text())["lines"]) == len(lines)


class TestExponent:
    def test_is_one_where_time_grows_as_the_work_does(self) -> None:
        assert measures.exponent({10: 1.0, 100: 10.0, 1000: 100.0}) == pytest.approx(1)


class TestMet:
    def test_knows_both_directions(self) -> None:
        assert Line("rate", "", 0.3, target=Target(0.2)).met is True
        assert Line("cost", "", 6, target=Target(5, at_least=False)).met is False
        assert Line("only said", "", 6).met is None


REFERENCES = """
    select conrelid::regclass::text, format(
        'select count(*) from %s a where %s and not exists (select from %s b where %s)',
        conrelid::regclass,
        (select string_agg(format('a.%I is not null', attname), ' and ') from pg_attribute
         where attrelid = conrelid and attnum = any (conkey)),
        confrelid::regclass,
        (select string_agg(format('a.%I = b.%I', x.attname, y.attname), ' and ')
         from unnest(conkey, confkey) k(mine, other)
         join pg_attribute x on x.attrelid = conrelid and x.attnum = mine
         join pg_attribute y on y.attrelid = confrelid and y.attnum = other))
    from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace"""


def _all(made: data.Loaded, query: str) -> list[tuple]:
    with psycopg.connect(made.admin_url) as admin:
        return admin.execute(query.encode()).fetchall()
