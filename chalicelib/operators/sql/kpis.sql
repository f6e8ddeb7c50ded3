-- One row per assignment with a score: the percentages are what value, target and weight come to, to half a hundredth,
-- values are such as their KPI can have, and what is calculated lies in the cycle. No two cycles of a KPI share a day.
select case
        when (kpi_ratio(n.counts, s.target, s.direction) is null) <> (s.achievement is null)
            then format('score of %s: its achievement is %s, of %s against a target of %s', a.id,
                coalesce(s.achievement::text, 'missing'), n.counts, s.target)
        when abs(s.achievement * n.divided_by - 100 * n.part) > abs(n.divided_by) * 0.005
            then format('score of %s: its achievement is %s, and %s of %s is not that', a.id, s.achievement, n.counts, s.target)
        when (s.achievement is null or s.weight is null) <> (s.weighted is null)
            then format('score of %s: its weighted score is %s, with a weight of %s', a.id,
                coalesce(s.weighted::text, 'missing'), s.weight)
        when abs(s.weighted * n.divided_by - s.weight * n.part) > abs(n.divided_by) * 0.005
            then format('score of %s: its weighted score is %s, and %s of %s by %s is not that', a.id, s.weighted, n.counts,
                s.target, s.weight)
        when d.metric_type = 'boolean' and (s.value not in (0, 1) or s.override_value not in (0, 1))
            then format('score of %s: it is yes or no, and counts %s', a.id, n.counts)
        when d.metric_type = 'text' and n.counts is not null or d.metric_type <> 'text' and s.text_value is not null
            then format('score of %s: %s is %s', a.id, d.name, d.metric_type)
        when d.source = 'manual_entry' and s.as_of is not null
            then format('score of %s: %s is entered by hand, and was calculated', a.id, d.name)
        when d.source <> 'manual_entry' and s.entered_at is not null
            then format('score of %s: %s is calculated, and was entered by hand', a.id, d.name)
        when s.as_of not between a.cycle_start_on and a.cycle_end_on
            then format('score of %s: it is as of %s, outside its cycle', a.id, s.as_of)
        when exists (
            select from kpi_assignments o
            where o.tenant_id = :tenant_id and o.user_id = a.user_id and o.definition_id = a.definition_id and o.id <> a.id
              and o.cycle_start_on <= a.cycle_end_on and o.cycle_end_on >= a.cycle_start_on)
            then format('assignment %s: its cycle shares days with another of the same KPI', a.id)
    end as problem
from kpi_assignments a
join kpi_definitions d on d.tenant_id = :tenant_id and d.id = a.definition_id
left join kpi_scores s on s.tenant_id = :tenant_id and s.assignment_id = a.id
cross join lateral (
    select counts, ratio[1] as part, ratio[2] as divided_by
    from (select coalesce(s.override_value, s.value) as counts) c
    cross join lateral kpi_ratio(c.counts, s.target, s.direction) r (ratio)
) n
where a.tenant_id = :tenant_id
