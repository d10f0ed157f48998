-- What every calculation of an order says of volume, in a dense order that never changes: a run reads all facts up
-- to a cut-off, and reads the same ones ever after.
create table volume_facts (
  seq bigint primary key,
  order_id uuid not null,
  calculation_no int not null,
  -- seq of the order's first fact: decides which period an order belongs to when it came late
  first_seq bigint not null,
  store_id int not null,
  ordered_at timestamptz not null,
  distributor_id text not null,
  -- the distributor bought it itself
  own boolean not null default false,
  currency char(3) not null,
  lines jsonb not null,
  constraint volume_facts_calculation unique (order_id, calculation_no)
);
comment on column volume_facts.lines is 'line, class, net, sold, quantity of every line that earns; empty when the order stands at zero';
create index volume_facts_ordered_at on volume_facts (ordered_at, seq);
select make_append_only('volume_facts');

create table periods (
  period_id uuid primary key,
  -- 2026-01, 2026-Q1, 2026-W05, 2026-01-31
  name text not null unique,
  starts_at timestamptz not null unique,
  ends_at timestamptz not null check (ends_at > starts_at),
  -- open | soft_closed (late orders go to the next period) | frozen | closed
  status text not null default 'open' check (status in ('open', 'soft_closed', 'frozen', 'closed')),
  -- set by freeze: facts up to here, distributors as known then, the plan that held at the end
  cutoff_seq bigint,
  known_at timestamptz,
  plan_hash bytea,
  -- the run that was posted
  run_id uuid,
  created_at timestamptz not null,
  check (status in ('open', 'soft_closed') or (cutoff_seq is not null and known_at is not null and plan_hash is not null)),
  check (status <> 'closed' or run_id is not null)
);

create table period_changes (
  period_id uuid not null references periods,
  change_no int not null,
  change text not null,
  detail jsonb not null default '{}',
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (period_id, change_no)
);
select make_append_only('period_changes');

create table runs (
  run_id uuid primary key,
  period_id uuid not null references periods,
  -- official: may be posted; unofficial: for looking at, any time; adjustment: what later orders, refunds and
  -- corrections change of closed periods, posted into the open one
  kind text not null check (kind in ('official', 'unofficial', 'adjustment')),
  status text not null default 'queued'
    check (status in ('queued', 'running', 'review', 'approved', 'posted', 'discarded', 'failed')),
  -- loading | calculating | writing | posting, and how far it is
  stage text not null default '',
  done bigint not null default 0,
  total bigint not null default 0,
  cutoff_seq bigint,
  known_at timestamptz,
  plan_hash bytea,
  result_hash bytea,
  -- periods::Summary
  summary jsonb,
  problem text,
  created_by text not null,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  approved_by text,
  approved_at timestamptz,
  posted_by text,
  posted_at timestamptz,
  check (approved_by is null or approved_by <> created_by)
);
create index runs_period on runs (period_id, created_at);
create unique index runs_posted_once on runs (period_id) where kind = 'official' and status in ('approved', 'posted');

create table run_awards (
  run_id uuid not null references runs,
  award_no int not null,
  -- of an adjustment: the closed period that it corrects
  period_id uuid not null references periods,
  bonus text not null,
  distributor_id text not null,
  position text not null default '',
  base numeric(20, 4) not null,
  earned numeric(20, 4) not null,
  amount numeric(20, 4) not null,
  primary key (run_id, award_no)
);
create index run_awards_distributor on run_awards (run_id, distributor_id);

create table run_cuts (
  run_id uuid not null references runs,
  award_no int not null,
  cut_by text not null,
  amount numeric(20, 4) not null,
  primary key (run_id, award_no, cut_by)
);

create table run_pools (
  run_id uuid not null references runs,
  period_id uuid not null references periods,
  bonus text not null,
  pool numeric(20, 4) not null,
  paid numeric(20, 4) not null,
  breakage numeric(20, 4) not null,
  rounding numeric(20, 4) not null,
  primary key (run_id, period_id, bonus),
  constraint run_pools_close check (paid + breakage + rounding = pool)
);

create table run_standings (
  run_id uuid not null references runs,
  distributor_id text not null,
  active boolean not null,
  pv numeric(20, 4) not null,
  gv numeric(20, 4) not null,
  pgv numeric(20, 4) not null,
  achieved text,
  paid_as text,
  title text,
  -- core::period::CarriedStanding: what the next period is told
  carried jsonb not null default '{}',
  primary key (run_id, distributor_id)
);

create table run_lots (
  run_id uuid not null references runs,
  lot_no int not null,
  bonus text not null,
  position text not null,
  side smallint not null,
  age smallint not null,
  period text not null,
  volume numeric(20, 4) not null,
  primary key (run_id, lot_no)
);

alter table orders add column own boolean not null default false;
comment on column orders.own is 'the distributor bought it itself';
comment on column commission_events.order_id is 'the order, or the run, that the event belongs to';
comment on column calculations.order_id is 'the order, or the run, that was calculated';
