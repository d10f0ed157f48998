-- How a market holds back and gives up. Versions: the newest of a country that was effective at an order's time.
create table market_policies (
  policy_no int generated always as identity primary key,
  -- two letters of ISO 3166; `*` for every country without a policy of its own
  country text not null check (country = '*' or country ~ '^[A-Z]{2}$'),
  holdback_percent numeric(7, 4) not null check (holdback_percent between 0 and 100),
  holdback_days int not null check (holdback_days between 0 and 3650),
  -- the most that a distributor may owe; what is beyond it is written off. null: no limit
  carry_floor numeric(20, 4) check (carry_floor >= 0),
  -- a debt that has not moved for so long is written off. null: never
  write_off_days int check (write_off_days between 1 and 3650),
  effective_from timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by text not null
);
select make_append_only('market_policies');

-- What stands held back of an order or a run for one distributor. Its entries are in the journal.
create table holdbacks (
  -- the order or the run
  source_id uuid not null,
  distributor_id text not null,
  currency char(3) not null,
  policy_no int not null references market_policies,
  amount numeric(20, 4) not null check (amount >= 0),
  release_on date not null,
  -- source of the entry that released it
  released_by_id uuid,
  released_at timestamptz,
  primary key (source_id, distributor_id, currency)
);
create index holdbacks_due on holdbacks (release_on) where released_at is null;
create index holdbacks_distributor on holdbacks (distributor_id);

-- How far holding back has come: volume_facts.seq for orders, runs.post_no for runs.
create table settlement_cursors (
  name text primary key check (name in ('orders', 'runs')),
  position bigint not null default 0
);
insert into settlement_cursors (name) values ('orders'), ('runs');

create table exchange_rates (
  rate_no int generated always as identity primary key,
  from_currency char(3) not null,
  to_currency char(3) not null,
  -- one unit of the first is so much of the second
  rate numeric(28, 12) not null check (rate > 0 and rate <> 'NaN'),
  on_date date not null,
  -- who published it
  source text not null check (source <> ''),
  recorded_at timestamptz not null,
  recorded_by text not null,
  check (from_currency <> to_currency)
);
create index exchange_rates_newest on exchange_rates (from_currency, to_currency, on_date, rate_no);
select make_append_only('exchange_rates');

-- Money moved by hand: asked for by one person, decided by another.
create table adjustments (
  adjustment_id uuid primary key,
  adjustment_no int generated always as identity unique,
  distributor_id text not null references distributors,
  currency char(3) not null,
  -- positive: the distributor gets more
  amount numeric(20, 4) not null check (amount <> 0 and amount <> 'NaN'),
  reason text not null check (reason <> ''),
  attachment_name text,
  attachment_type text,
  attachment bytea,
  attachment_sha256 bytea,
  requested_at timestamptz not null,
  requested_by text not null,
  status text not null default 'requested' check (status in ('requested', 'approved', 'refused')),
  decided_at timestamptz,
  decided_by text,
  decision_note text,
  check (decided_by is null or decided_by <> requested_by),
  check ((status = 'requested') = (decided_at is null)),
  check ((attachment is null) = (attachment_sha256 is null))
);
create index adjustments_distributor on adjustments (distributor_id, adjustment_no);

-- Decided once; nothing else of it changes.
create function guard_adjustment() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.status <> 'requested'
     or (to_jsonb(new) - array['status', 'decided_at', 'decided_by', 'decision_note'])
        <> (to_jsonb(old) - array['status', 'decided_at', 'decided_by', 'decision_note']) then
    raise exception 'adjustments are append-only: % refused', tg_op
      using errcode = 'restrict_violation', hint = 'ask for another adjustment that takes it back';
  end if;
  return new;
end $$;
create trigger adjustments_guard before update or delete on adjustments
  for each row execute function guard_adjustment();
create trigger append_only_table before truncate on adjustments for each statement execute function refuse_change();

-- Few postings are of debts: how old one is, is found without reading all that its owner ever earned.
create index postings_debts on postings (distributor_id) where account = 1200;
