-- The head of an order: what the newest evidence makes of it. Everything here can be rebuilt from order_revisions.
create table orders (
  order_id uuid primary key,
  store_id int not null references stores,
  external_id text not null,
  number text,
  currency char(3),
  ordered_at timestamptz,
  updated_at timestamptz,
  -- awaiting | held | exempt | commissionable
  status text not null check (status in ('awaiting', 'held', 'exempt', 'commissionable')),
  exemptions text[] not null default '{}',
  distributor_id text,
  place text,
  place_value text,
  customer_id text,
  total numeric(24, 6) not null default 0,
  sold numeric(24, 6) not null default 0,
  refunded numeric(24, 6) not null default 0,
  net numeric(24, 6) not null default 0,
  lines jsonb not null default '[]',
  revisions int not null default 0,
  newest_revision int,
  calculation_no int not null default 0,
  first_delivery_id uuid not null,
  received_at timestamptz not null,
  assessed_at timestamptz not null,
  constraint orders_external_id_key unique (store_id, external_id)
) with (fillfactor = 80);
comment on column orders.lines is 'core::assess::AssessedLine of every line';
comment on column orders.received_at is 'when the newest delivery that changed the order was received';
create index orders_distributor on orders (distributor_id, ordered_at) where distributor_id is not null;
create index orders_ordered_at on orders (ordered_at desc, order_id);

create table order_revisions (
  order_id uuid not null,
  revision_no int not null,
  delivery_id uuid not null,
  kind text not null check (kind in ('snapshot', 'refund', 'deleted', 'restored', 'hint')),
  absorbed text not null check (absorbed in ('applied', 'superseded', 'unchanged')),
  report jsonb not null,
  received_at timestamptz not null,
  recorded_at timestamptz not null,
  primary key (order_id, revision_no)
);
comment on column order_revisions.report is 'core::order::Report: no names, no addresses';
select make_append_only('order_revisions');

-- Why orders wait for a person, one row per reason. Deleted on release.
create table holds (
  order_id uuid not null references orders,
  hold_no int not null,
  reason text not null,
  cause text not null,
  detail text not null,
  line text,
  held_at timestamptz not null,
  primary key (order_id, hold_no)
);
create index holds_cause on holds (reason, cause, order_id);

-- An admin's decision who earns on an order; the latest row counts.
create table manual_attributions (
  order_id uuid not null references orders,
  decision_no int not null,
  distributor_id text not null,
  decided_by text not null,
  decided_at timestamptz not null,
  primary key (order_id, decision_no)
);
select make_append_only('manual_attributions');
