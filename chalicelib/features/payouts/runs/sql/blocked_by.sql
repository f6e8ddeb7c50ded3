-- Why nothing can be paid to a person as their current destination d stands (null in all its columns: none); null: it
-- can. Whatever else holds payments to a destination gets a line here: pay.sql and payables.sql both ask it.
case
    -- changed bank details wait for a second person or for the end of their hold
    when d.held_until > :now then 'destination_held'
    when d.kind = 'manual' then null
    when not :needs_destination then null
    -- a bank cannot pay to a simulated destination
    when d.kind = 'simulated' then 'no_bank_account'
    when d.id is null and not :is_manual_without_account then 'no_bank_account'
end
