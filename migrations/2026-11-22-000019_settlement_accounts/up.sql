-- What becomes of a commission after it is earned.
insert into accounts values
  (1000, 'bank', 'Money that has left for distributors', 'debit'),
  (1200, 'clawback_receivable', 'Owed by distributors: refunds after they were paid', 'debit'),
  (2110, 'holdback', 'Commissions held back until a date', 'credit'),
  (2120, 'payout_clearing', 'Payouts on their way', 'credit'),
  (2130, 'withholding', 'Tax withheld from distributors', 'credit'),
  (2140, 'pool_reserve', 'Kept for pools that pay later', 'credit'),
  (2190, 'suspense', 'Not explained yet', 'credit'),
  (2900, 'conversion', 'Between two currencies', 'credit'),
  (4200, 'fees', 'Fees of payouts, kept from distributors', 'credit'),
  (5180, 'write_off', 'Given up: what distributors will not pay back', 'debit'),
  (5200, 'adjustment_expense', 'Adjustments by hand', 'debit');

-- What an entry rests on that is no calculation: sealed by the entry's digest.
create table entry_documents (
  source_id uuid not null,
  entry_no int not null,
  document jsonb not null,
  primary key (source_id, entry_no)
);
select make_append_only('entry_documents');
