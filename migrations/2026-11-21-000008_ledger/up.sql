create table accounts (
  account smallint primary key,
  name text not null unique,
  title text not null,
  -- debit or credit: the side on which the account grows
  normal_side text not null check (normal_side in ('debit', 'credit'))
);
insert into accounts values
  (2100, 'commission_payable', 'Commissions payable to distributors', 'credit'),
  (4900, 'breakage', 'Breakage: pool shares that nobody qualified for', 'credit'),
  (5100, 'commission_expense', 'Commission expense', 'debit'),
  (5190, 'rounding', 'Rounding differences', 'debit');

create table calculations (
  order_id uuid not null,
  calculation_no int not null,
  plan_hash bytea not null,
  currency char(3) not null,
  distributor_id text,
  pool numeric(20, 4) not null,
  paid numeric(20, 4) not null,
  breakage numeric(20, 4) not null,
  rounding numeric(20, 4) not null,
  -- personal and commissionable volume of the order, for standings
  pv numeric(20, 4) not null,
  cv numeric(20, 4) not null,
  calc_snapshot_json jsonb not null,
  calculated_at timestamptz not null,
  primary key (order_id, calculation_no),
  constraint calculations_pool_closes check (paid + breakage + rounding = pool)
);
comment on column calculations.paid is 'totals are targets: what should stand posted after this calculation';
select make_append_only('calculations');

create table commission_events (
  order_id uuid not null,
  event_id uuid not null,
  calculation_no int not null,
  line text not null,
  bonus text not null,
  level smallint not null,
  distributor_id text not null,
  amount numeric(20, 4) not null check (amount <> 0 and amount <> 'NaN'),
  currency char(3) not null,
  kind text not null check (kind in ('earn', 'adjust', 'clawback', 'forfeit')),
  created_at timestamptz not null,
  primary key (order_id, event_id)
);
create index commission_events_event on commission_events (event_id);
create index commission_events_distributor on commission_events (distributor_id, event_id);
select make_append_only('commission_events');

create table journal_entries (
  -- the order (later also the run or the payout) that the entry belongs to
  source_id uuid not null,
  entry_no int not null,
  kind text not null,
  currency char(3) not null,
  posted_at timestamptz not null,
  digest bytea not null,
  primary key (source_id, entry_no)
);
comment on column journal_entries.digest is 'SHA-256 of the entry, its postings, its commission events and its calculation in canonical bytes';
create index journal_entries_posted_at on journal_entries using brin (posted_at);
select make_append_only('journal_entries');

create table postings (
  source_id uuid not null,
  entry_no int not null,
  posting_no smallint not null,
  account smallint not null references accounts,
  distributor_id text,
  -- debit positive, credit negative
  amount numeric(20, 4) not null check (amount <> 0 and amount <> 'NaN'),
  event_id uuid,
  primary key (source_id, entry_no, posting_no)
);
create index postings_distributor on postings (distributor_id, source_id) where distributor_id is not null;
select make_append_only('postings');

-- The seed's view of the ledger.
create view ledger as
select e.event_id, e.order_id, e.distributor_id, e.amount, c.calc_snapshot_json
from commission_events e
join calculations c on c.order_id = e.order_id and c.calculation_no = e.calculation_no;
