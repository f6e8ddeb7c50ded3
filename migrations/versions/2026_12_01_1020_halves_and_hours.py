"""Minutes are judged against the halves left open, by the shift's thresholds, net of its unpaid break."""

from migrations.helpers import run

revision = "2026_12_01_1020"
down_revision = "2026_12_01_1010"


def upgrade() -> None:
    run("""
        alter table shifts
            add column full_day_minutes smallint check (full_day_minutes between 1 and 1440),
            add column half_day_minutes smallint check (half_day_minutes between 1 and 1440),
            add column unpaid_break_minutes smallint not null default 0
                check (unpaid_break_minutes between 0 and 1439);
        comment on column shifts.full_day_minutes is 'net minutes of a full day on this shift; null: the tenant''s';
        comment on column shifts.half_day_minutes is 'net minutes of half a day on this shift; null: the tenant''s';

        alter table attendance
            add column enough_for_half boolean not null default false,
            add column sessions tstzmultirange;
        comment on column attendance.present is
            'halves that count as present where both are open, decided when written: 0 none, 2 first, 1 second, 3 both';
        comment on column attendance.enough_for_half is
            'the minutes are enough for the one half that leave, duty, a holiday or a day off leaves open; decided';
        comment on column attendance.sessions is
            'closed sessions of punches; null where none is known singly: then it is check_in_at to check_out_at';
    """)
    run("""
        -- A clock time that came twice is the first of the two, one that was skipped is read by the offset before the
        -- gap (RFC 5545, section 3.3.5), as in Python. PostgreSQL alone would take the second of the two.
        create function local_moment(clock timestamp, zone text) returns timestamptz
        language sql immutable parallel safe as $$
            select case
                when ((clock - (((clock at time zone zone) - interval '12 hours') at time zone zone
                                - ((clock at time zone zone) - interval '12 hours') at time zone 'UTC'))
                      at time zone 'UTC') at time zone zone = clock
                then least(clock at time zone zone,
                           (clock - (((clock at time zone zone) - interval '12 hours') at time zone zone
                                     - ((clock at time zone zone) - interval '12 hours') at time zone 'UTC'))
                           at time zone 'UTC')
                else clock at time zone zone
            end
        $$;

        create function other_halves(mask bigint) returns bigint
        language sql immutable parallel safe as $$
            select ((mask & first_halves()) >> 1) | ((mask & second_halves()) << 1)
        $$;
        comment on function other_halves is 'for each half in the mask, the other half of the same day';
    """)
    # Open periods are decided and computed again by the next computation; locked ones keep what was decided.
    run("""
        alter table pay_periods no force row level security;
        update pay_periods set decided_under = null, changed_at = clock_timestamp() where status = 'open';
        alter table pay_periods force row level security;
    """)
