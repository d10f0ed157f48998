-- What was delivered on a day. Deliveries are stored as they come, so a block holds a stretch of time.
create index deliveries_received_at on deliveries using brin (received_at);

-- One row for each time that a day of a store was reconciled; the newest counts, none is ever changed.
create table reconciliations (
  store_id int not null references stores,
  -- the store's own day
  day date not null,
  report_no int not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > starts_at),
  -- IANA name of the zone that the day is one of
  zone text not null,
  state text not null check (state in ('ok', 'explained', 'not_ok')),
  -- false: the store has no connection, all that is compared is our own
  asked boolean not null,
  -- null: everything of the day was read
  incomplete text,
  healing boolean not null,
  -- schedule | changed | again | manual
  cause text not null check (cause in ('schedule', 'changed', 'again', 'manual')),
  asked_by text not null,
  -- what is left of them, and what was mended
  differences int not null,
  healed int not null,
  -- orders that are still being worked on
  in_flight bigint not null,
  oldest_unexplained timestamptz,
  -- reconcile::Told: deliveries of the day, names of orders in flight
  told jsonb not null,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  primary key (store_id, day, report_no),
  constraint reconciliations_partial_is_not_ok check (incomplete is null or state = 'not_ok'),
  constraint reconciliations_unasked_is_not_ok check (asked or state <> 'ok')
);
create index reconciliations_newest on reconciliations (started_at desc);
select make_append_only('reconciliations');

create table reconciliation_sums (
  store_id int not null,
  day date not null,
  report_no int not null,
  currency char(3) not null,
  orders bigint not null,
  due numeric(24, 6) not null,
  ledger numeric(24, 6) not null,
  drift numeric(24, 6) not null,
  -- the drift without signs, line by line
  off numeric(24, 6) not null,
  worth numeric(24, 6) not null,
  explained numeric(24, 6) not null,
  -- core::reconcile::Sums
  sums jsonb not null,
  primary key (store_id, day, report_no, currency),
  foreign key (store_id, day, report_no) references reconciliations
);
select make_append_only('reconciliation_sums');

create table reconciliation_differences (
  store_id int not null,
  day date not null,
  report_no int not null,
  difference_no int not null,
  healed boolean not null,
  kind text not null,
  seam text not null check (seam in ('evidence', 'head', 'ledger')),
  -- the store's own id of the order, and ours when we have it
  external_id text not null,
  number text,
  order_id uuid,
  -- at most one of them: the part of the order that it is about
  line text,
  refund text check (refund is null or line is null),
  currency char(3) not null,
  should numeric(24, 6),
  is_now numeric(24, 6),
  what text not null,
  fix text not null,
  primary key (store_id, day, report_no, difference_no),
  foreign key (store_id, day, report_no) references reconciliations
);
comment on column reconciliation_differences.should is 'the store''s amount; inside our books, the amount of the step before';
select make_append_only('reconciliation_differences');

-- Days that somebody wants reconciled now. Deleted when it is done.
create table reconciliation_requests (
  store_id int not null references stores,
  day date not null,
  healing boolean not null,
  asked_by text not null,
  asked_at timestamptz not null,
  primary key (store_id, day)
);

-- Which days a delivery changes is known when it is processed, which may be days after it came.
create index delivery_outcomes_processed_at on delivery_outcomes using brin (processed_at);
