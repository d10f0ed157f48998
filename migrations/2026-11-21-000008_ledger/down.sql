drop view ledger;
drop table postings, journal_entries, commission_events, calculations, accounts;
