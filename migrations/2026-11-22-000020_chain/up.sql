-- Which database transaction wrote a row: what committed since the last look is found without a queue row on the
-- way of posting. Rows from before this have 0 and are found by walking the table once.
alter table journal_entries add column txid bigint not null default 0;
alter table journal_entries alter column txid set default (pg_current_xact_id()::text::bigint);
create index journal_entries_txid on journal_entries (txid);
alter table audit_log add column txid bigint not null default 0;
alter table audit_log alter column txid set default (pg_current_xact_id()::text::bigint);
create index audit_log_txid on audit_log (txid);

-- Every journal entry and every row of the audit log, in one dense order; each link seals the one before it.
create table chain (
  seq bigint primary key check (seq > 0),
  kind text not null check (kind in ('entry', 'audit')),
  -- of an entry its source and number; of a row of the audit log its id and 0
  source_id uuid not null,
  number int not null,
  digest bytea not null,
  hash bytea not null,
  constraint chain_reference unique (source_id, number, kind)
);
comment on column chain.hash is 'SHA-256 of the hash before, seq, kind, reference and digest in canonical bytes';
select make_append_only('chain');

-- One row: who may append, where the chain ends, and what has been seen of the tables.
create table chain_state (
  only_one boolean primary key default true check (only_one),
  owner uuid,
  -- grows with every taking over, so that a holder who slept through the end of its lease cannot write
  fence bigint not null default 0,
  lease_until timestamptz not null default '-infinity',
  head_seq bigint not null default 0,
  head_hash bytea not null default '\x',
  -- a restored cluster counts its transactions anew
  system_identifier text not null,
  -- added to the numbers of this cluster's transactions, so that they follow on those of the clusters before it
  base bigint not null default 0,
  -- everything that transactions before this one wrote is chained, but for those in `missing`, which were running
  seen_before bigint not null default 1,
  missing bigint[] not null default '{}',
  -- where the walk through rows of before `base` stands; null when it is over
  walk_kind text check (walk_kind in ('entry', 'audit')),
  walk_source uuid not null default '00000000-0000-0000-0000-000000000000',
  walk_number int not null default 0,
  -- the table balances holds the sums of all entries up to here
  balances_seq bigint not null default 0
);
insert into chain_state (system_identifier, walk_kind)
select system_identifier::text, 'entry' from pg_control_system();
update chain_state set walk_kind = null
where not exists (select 1 from journal_entries) and not exists (select 1 from audit_log);

-- Sums of postings up to chain_state.balances_seq, brought forward by the one who appends to the chain, so that posting
-- touches no row of them.
create table balances (
  account smallint not null references accounts,
  -- '' on accounts of the house
  distributor_id text not null,
  currency char(3) not null,
  -- debit positive
  amount numeric(24, 4) not null,
  primary key (account, distributor_id, currency)
);
create index balances_distributor on balances (distributor_id) where distributor_id <> '';

-- Entries that the balances do not hold yet. Planned anew at each call, with what the row says at that moment: on average
-- a third of the chain is behind any number, here it is a handful.
create function tail_entries() returns table (source_id uuid, entry_no int)
language plpgsql stable rows 1000 set enable_seqscan = off set plan_cache_mode = force_custom_plan as $$
declare
  s chain_state;
begin
  select * into strict s from chain_state;
  return query select c.source_id, c.number from chain c where c.seq > s.balances_seq and c.kind = 'entry';
  return query select e.source_id, e.entry_no from journal_entries e where e.txid >= s.seen_before;
  if cardinality(s.missing) > 0 then
    return query select e.source_id, e.entry_no from journal_entries e where e.txid = any(s.missing);
  end if;
  if s.walk_kind is not null then
    return query select e.source_id, e.entry_no from journal_entries e
                 left join chain c on c.source_id = e.source_id and c.number = e.entry_no and c.kind = 'entry'
                 where e.txid <= s.base and c.seq is null;
  end if;
end $$;

-- What has to be summed to know what stands on an account.
create view account_sums as
select account, distributor_id, currency, amount from balances
union all
select p.account, coalesce(p.distributor_id, ''), e.currency, p.amount
from tail_entries() t
join journal_entries e on e.source_id = t.source_id and e.entry_no = t.entry_no
join postings p on p.source_id = t.source_id and p.entry_no = t.entry_no;

-- Heads that were given out: to a file, on manifests and reports.
create table chain_heads (
  head_no bigint generated always as identity primary key,
  seq bigint not null,
  hash bytea not null,
  -- run ID, payout ID, day 2026-11-22
  cause text not null,
  at timestamptz not null,
  constraint chain_heads_cause unique (cause)
);
select make_append_only('chain_heads');

create table verifications (
  verification_no bigint generated always as identity primary key,
  at timestamptz not null,
  ok boolean not null,
  head_seq bigint not null,
  head_hash bytea not null,
  first_bad bigint,
  problems int not null,
  -- the first of them
  told jsonb not null default '[]'
);
comment on column verifications.first_bad is 'the smallest seq of the chain that a problem belongs to, where it belongs to one';
select make_append_only('verifications');
