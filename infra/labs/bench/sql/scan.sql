-- The least that reading the facts can cost: every source aggregated per employee, as simply as possible.
select count(*) from (select user_id, bit_or(present << day - '2025-12-27'), sum(late_minutes), sum(early_out_minutes)
                      from attendance where {employees} group by user_id) a
union all
select count(*) from (select user_id, count(*) from leave_days where {employees} group by user_id) l
union all
select count(*) from (select user_id, max(end_on) from on_duty where {employees} group by user_id) o
union all
select count(*) from (select user_id, sum(hours) from overtime where {employees} group by user_id) h
union all
select count(*) from (select user_id, max(off) from roster_days where {employees} group by user_id) r
union all
select count(*) from (select user_id, sum(extra_days) from day_edits where {employees} group by user_id) e
union all
select count(*) from (select user_id, joined_on, left_on, branch_id, shift_id from employments where {employees}) p
