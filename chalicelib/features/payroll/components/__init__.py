"""Components that payslips are made of (`payment_types` in the API): definitions, versions, and whom each is for."""
