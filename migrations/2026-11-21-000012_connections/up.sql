-- How we reach a store's own API. A store without a row can only push.
create table store_connections (
  store_id int primary key references stores,
  base_url text not null check (base_url ~ '^https?://'),
  allow_private boolean not null default false,
  credentials bytea not null,
  -- IANA name: the store's days begin there.
  zone text not null default 'UTC',
  -- clients::Probe of the last time that it answered
  facts jsonb not null default '{}',
  paused boolean not null default false,
  connected_at timestamptz not null,
  answered_at timestamptz,
  -- Why the last call failed for good, until one succeeds.
  problem text,
  problem_since timestamptz
);
comment on column store_connections.credentials is 'clients::Credentials, ChaCha20-Poly1305 under the key of the data directory';
