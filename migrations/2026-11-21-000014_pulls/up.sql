-- Reading a store's API over a window of time, page by page. One row for each window.
create table pulls (
  pull_id uuid primary key,
  store_id int not null references stores,
  kind text not null check (kind in ('orders', 'products', 'customers')),
  cause text not null check (cause in ('schedule', 'daily', 'backfill', 'manual', 'reconcile')),
  window_by text not null check (window_by in ('changed', 'ordered')),
  window_from timestamptz,
  window_to timestamptz not null,
  -- Where to read on: the client's own words. Empty before the first page and after the last.
  cursor text,
  state text not null default 'running' check (state in ('running', 'done', 'failed', 'stopped')),
  pages int not null default 0,
  seen int not null default 0,
  told int not null default 0,
  fresh int not null default 0,
  remaining bigint,
  -- Why the last try ended before the window did.
  problem text,
  started_by text not null,
  -- Whoever holds this may write the next page.
  taker uuid not null,
  started_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  constraint pulls_orders_have_a_beginning check (kind <> 'orders' or window_from is not null),
  constraint pulls_are_finished_when_done check ((state = 'done') = (finished_at is not null))
);
comment on column pulls.window_from is 'empty: everything there is';
comment on column pulls.remaining is 'what the store said is left, when it last said so';
comment on column pulls.told is 'what was news, of what was seen';
comment on column pulls.fresh is 'what nothing was known of, of what was told';
create index pulls_newest on pulls (store_id, started_at desc);
create index pulls_newest_of_kind on pulls (store_id, kind, started_at desc);
create index pulls_running on pulls (store_id, kind) where state = 'running';

-- Until when a store was read, and how that goes.
create table pull_marks (
  store_id int not null references stores,
  kind text not null check (kind in ('orders', 'products', 'customers')),
  pulled_until timestamptz,
  daily_at timestamptz,
  failures int not null default 0,
  next_try_at timestamptz,
  primary key (store_id, kind)
);
comment on column pull_marks.pulled_until is 'everything that changed before this was read at least once';
comment on column pull_marks.daily_at is 'when the last window of the daily kind was complete';
comment on column pull_marks.failures is 'in a row; a page that was stored ends the row';
