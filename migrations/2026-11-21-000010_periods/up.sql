alter table orders add column own boolean not null default false;
comment on column orders.own is 'the distributor bought it itself';
comment on column commission_events.order_id is 'the order, or the run, that the event belongs to';
comment on column calculations.order_id is 'the order, or the run, that was calculated';
alter table distributor_versions add column rank_decided boolean not null default false;
comment on column distributor_versions.rank_decided is 'the close of a period has decided the rank; false: it was given by hand';
create index distributor_versions_recorded_at on distributor_versions (recorded_at);
create index distributor_versions_rank_decided on distributor_versions (distributor_id) where rank_decided;

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
  own boolean not null,
  currency char(3) not null,
  lines jsonb not null,
  constraint volume_facts_calculation unique (order_id, calculation_no)
);
comment on column volume_facts.lines is 'line, class, net, sold, quantity of every line that earns; empty when the order stands at zero';
create index volume_facts_ordered_at on volume_facts (ordered_at, seq);
-- Few orders are calculated again: this stays small, and answers which fact is an order's last.
create index volume_facts_again on volume_facts (order_id, seq) where seq > first_seq;
create index volume_facts_news on volume_facts (seq) where seq > first_seq;
-- Orders that came too late for their own time are found by when they were first told.
create index volume_facts_first on volume_facts (first_seq, seq);
select make_append_only('volume_facts');

-- The lines of a calculation's snapshot that earn.
create function volume_lines(snapshot jsonb) returns jsonb language sql immutable as $$
  select case when coalesce(snapshot -> 'calculation', 'null') = 'null' then '[]' else coalesce(
    (select jsonb_agg(jsonb_build_object('line', l -> 'line', 'class', l -> 'commission_class', 'net', l -> 'net',
                                         'sold', l -> 'sold', 'quantity', l -> 'quantity') order by n)
     from jsonb_array_elements(snapshot -> 'lines') with ordinality as t(l, n)
     where l ->> 'kind' = 'goods' and l ->> 'commission_class' <> 'none'), '[]') end
$$;

insert into volume_facts
  (seq, order_id, calculation_no, first_seq, store_id, ordered_at, distributor_id, own, currency, lines)
select seq, order_id, calculation_no, min(seq) over (partition by order_id), store_id, ordered_at, distributor_id,
       own, currency, lines
from (
  select row_number() over (order by c.calculated_at, c.order_id, c.calculation_no) as seq, c.order_id,
         c.calculation_no, o.store_id, (c.calc_snapshot_json #>> '{context,ordered_at}')::timestamptz as ordered_at,
         c.calc_snapshot_json #>> '{context,attributed,distributor}' as distributor_id,
         coalesce((c.calc_snapshot_json #>> '{context,attributed,own}')::boolean, false) as own, c.currency,
         volume_lines(c.calc_snapshot_json) as lines
  from calculations c join orders o using (order_id)) known;

create table periods (
  period_id uuid primary key,
  -- 2026-01, 2026-Q1, 2026-W05, 2026-01-31
  name text not null unique,
  starts_at timestamptz not null unique,
  ends_at timestamptz not null check (ends_at > starts_at),
  status text not null default 'open' check (status in ('open', 'soft_closed', 'frozen', 'closed')),
  -- set by the soft close: an order whose first fact is after it counts in the next period
  late_after_seq bigint,
  -- set by the freeze: facts up to here, distributors as known then, the plan that held at the end
  cutoff_seq bigint,
  known_at timestamptz,
  plan_hash bytea,
  -- the official run that was posted
  run_id uuid,
  created_at timestamptz not null,
  check (status = 'open' or late_after_seq is not null),
  check (status in ('open', 'soft_closed') or (cutoff_seq is not null and known_at is not null and plan_hash is not null)),
  check (status <> 'closed' or run_id is not null)
);

create table period_changes (
  period_id uuid not null references periods,
  change_no int not null,
  -- created | soft_closed | frozen | unfrozen | closed | adjusted
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
  -- loading | calculating | writing, and how far it is
  stage text not null default '',
  done bigint not null default 0,
  total bigint not null default 0,
  -- how often it was begun; counted before, so that a run which ends its process is counted too
  attempts int not null default 0,
  -- facts up to here, distributors as known then
  cutoff_seq bigint not null,
  known_at timestamptz not null,
  -- of the run's own period; an adjustment calculates each period with that period's plan
  plan_hash bytea not null,
  -- the number of the last run that was posted before this one was calculated
  based_on int not null,
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
  -- posted runs are numbered in the order of their posting
  post_no int unique,
  -- journal entries that the posting made
  entries int not null default 0,
  check (approved_by is null or approved_by <> created_by),
  check ((status = 'posted') = (post_no is not null))
);
create index runs_period on runs (period_id, created_at);
create index runs_waiting on runs (created_at) where status in ('queued', 'running');
create unique index runs_official_once on runs (period_id)
  where kind = 'official' and status in ('queued', 'running', 'review', 'approved', 'posted');
create unique index runs_adjustment_once on runs (kind)
  where kind = 'adjustment' and status in ('queued', 'running', 'review', 'approved');

-- The periods that a run has calculated, and from what. One for most runs; an adjustment has one for each closed
-- period that it corrects.
create table run_periods (
  run_id uuid not null references runs,
  period_id uuid not null references periods,
  cutoff_seq bigint not null,
  known_at timestamptz not null,
  plan_hash bytea not null,
  -- the run whose standings and lots of the period before were carried into this one
  carried_run_id uuid,
  -- whether the run says anew what the period leaves to the next
  carries boolean not null,
  result_hash bytea,
  primary key (run_id, period_id)
);

-- The rows of a result. They are many and are written once, with their run: it is not asked for on every row.
create table run_awards (
  run_id uuid not null,
  award_no int not null,
  -- of an adjustment: the closed period that it corrects
  period_id uuid not null,
  bonus text not null,
  distributor_id text not null,
  position text not null default '',
  base numeric(20, 4) not null,
  earned numeric(20, 4) not null,
  amount numeric(20, 4) not null,
  -- of the commission event; nothing where nothing is paid
  kind text check (kind in ('earn', 'adjust', 'clawback', 'forfeit')),
  primary key (run_id, award_no),
  check ((amount = 0) = (kind is null))
);
create index run_awards_distributor on run_awards (run_id, distributor_id);

create table run_cuts (
  run_id uuid not null,
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
  run_id uuid not null,
  period_id uuid not null,
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
  primary key (run_id, period_id, distributor_id)
);

create table run_lots (
  run_id uuid not null,
  period_id uuid not null,
  lot_no int not null,
  bonus text not null,
  position text not null,
  side smallint not null,
  age smallint not null,
  -- name of the period that the volume is of
  period text not null,
  volume numeric(20, 4) not null,
  primary key (run_id, period_id, lot_no)
);

-- What was posted stays as it was reviewed. A run that is not posted is written anew when it is begun again.
create function refuse_posted() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct run_id from gone) g join runs r using (run_id) where r.status = 'posted') then
    raise exception '% of a posted run are append-only: % refused', tg_table_name, tg_op
      using errcode = 'restrict_violation', hint = 'an adjustment posts what changes';
  end if;
  return null;
end $$;

do $$
declare
  target text;
begin
  foreach target in array array['run_awards', 'run_cuts', 'run_pools', 'run_standings', 'run_lots'] loop
    execute format('create trigger posted_updated after update on %I referencing old table as gone '
                   'for each statement execute function refuse_posted()', target);
    execute format('create trigger posted_deleted after delete on %I referencing old table as gone '
                   'for each statement execute function refuse_posted()', target);
    execute format('create trigger posted_truncated before truncate on %I '
                   'for each statement execute function refuse_change()', target);
  end loop;
end $$;
