-- Why: a client's statements between two days are read from the few whose period ends near them; the rare longer ones stand in an index of their own. Lock: writes to statements while the index is built, a second for a million rows.
create index statements_of_long_periods on statements (client_id, id) where period_to - period_from > 400;
