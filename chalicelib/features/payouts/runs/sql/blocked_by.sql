-- Why nothing can be paid to an employee as their current destination d is (null in all its columns: none), or null
-- where it can. Another reason to block a destination is a line here: pay.sql, unpaid_debts.sql, payables.sql and
-- payments.sql all ask it.
case
    -- changed bank details wait for a second person's confirmation or for the end of their hold
    when d.held_until > :now then 'destination_held'
    when d.kind = 'manual' then null
    when not :needs_destination then null
    -- the tenant's provider cannot pay to a destination of this kind
    when d.kind <> all(cast(:payable_kinds as text[])) then 'no_bank_account'
    when d.id is null and not :is_manual_without_account then 'no_bank_account'
end
