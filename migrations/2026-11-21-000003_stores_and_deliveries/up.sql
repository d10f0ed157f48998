create table stores (
  store_id int generated always as identity primary key,
  slug text not null constraint stores_slug_key unique check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  platform text not null check (platform in ('shopify', 'woocommerce', 'magento', 'direct')),
  name text not null,
  -- Ordered places where a distributor may be named.
  attribution text[] not null,
  active boolean not null default true,
  created_at timestamptz not null
);

create table store_secrets (
  store_id int not null references stores,
  secret_no int not null,
  sealed bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz,
  primary key (store_id, secret_no)
);
comment on column store_secrets.sealed is 'ChaCha20-Poly1305 under the key of the data directory; at most two are live';

create table deliveries (
  delivery_id uuid primary key,
  store_id int not null references stores,
  topic text not null,
  dedupe_key bytea not null,
  delivery_key text,
  event_key text,
  triggered_at timestamptz,
  received_at timestamptz not null,
  headers jsonb not null,
  body bytea not null,
  body_bytes int not null,
  body_sha256 bytea not null,
  constraint deliveries_dedupe_key unique (store_id, dedupe_key)
);
alter table deliveries alter column body set storage external;
comment on column deliveries.body is 'LZ4 block with its size in front; body_sha256 is of the bytes on the wire';
select make_append_only('deliveries');

-- The same delivery again: evidence for the store''s habits, without effect.
create table delivery_repeats (
  delivery_id uuid not null,
  received_at timestamptz not null
);
create index delivery_repeats_delivery on delivery_repeats (delivery_id);
select make_append_only('delivery_repeats');

create table delivery_outcomes (
  delivery_id uuid not null,
  outcome_no int not null,
  verdict text not null check (verdict in ('applied', 'superseded', 'unchanged', 'ignored', 'unreadable')),
  detail text,
  order_ids uuid[] not null default '{}',
  processed_at timestamptz not null,
  primary key (delivery_id, outcome_no)
);
select make_append_only('delivery_outcomes');
