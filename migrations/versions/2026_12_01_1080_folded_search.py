"""People are searched by names and employee numbers without case and marks, in columns that the database maintains."""

from migrations.helpers import run

revision = "2026_12_01_1080"
down_revision = "2026_12_01_1070"


def upgrade() -> None:
    # Generated, so that no way of writing a name (API, import, erasure, an operator's SQL) can forget it. Adding them
    # rewrites the two tables: a second for a million people.
    run(r"""
        create function fold_text(value text) returns text
        language sql immutable strict parallel safe as $$
            -- ASCII, as most names and all numbers are, has nothing to take apart
            select case when octet_length(value) = char_length(value) then lower(value collate pg_unicode_fast)
            else translate(
                regexp_replace(
                    normalize(casefold(normalize(value, nfkd) collate pg_unicode_fast), nfkd),
                    -- Marks that words are found without: accents, points of Hebrew, harakat and hamza of Arabic; the
                    -- joiners and the tatweel, which have no sound. Vowel signs of Indic scripts and Thai are letters
                    -- to their readers and stay.
                    '[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a'
                    '\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08e1'
                    '\u08e3-\u08ff\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]',
                    '', 'g'),
                -- letters that Unicode does not take apart; Arabic yeh and kaf, which Persian keyboards write otherwise
                U&'\00f8\0142\0111\0131\0127\064a\0649\0643', U&'oldih\06cc\06cc\06a9') end
        $$;
        comment on function fold_text(text) is
            'what is compared when people are searched; after a change of it the columns made by it are built anew';

        alter table users add column search_text text collate "C" not null
            generated always as (fold_text(name)) stored;
        alter table employments add column search_text text collate "C" not null
            generated always as (fold_text(employee_no)) stored;
        comment on column users.search_text is 'the name as it is searched: see fold_text';
        comment on column employments.search_text is 'the employee number as it is searched: see fold_text';

        -- They follow the columns they are made of, which an erasure blanks.
        insert into personal_data (table_name, column_name, treatment, whose, becomes, why, step)
        select name, 'search_text', 'kept', '', '', 'generated from a column that is blanked',
            (select coalesce(max(step), 0) from personal_data) + number
        from (values ('users', 1), ('employments', 2)) added (name, number);
    """)
