"""Sales and payouts under measurement: imported, advanced, decided and paid, beside one transaction per sale."""
