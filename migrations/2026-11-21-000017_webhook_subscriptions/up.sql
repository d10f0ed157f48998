-- Our subscriptions at each store, one for each topic.
create table store_webhooks (
  store_id int not null references stores,
  topic text not null,
  -- The platform's own id; none while the store refuses to make one.
  external_id text,
  address text not null,
  -- Which of the store's secrets it signs with, and since when.
  secret_no int not null,
  secret_since timestamptz not null,
  -- Why it could not be made or mended, until it can.
  problem text,
  created_at timestamptz not null,
  checked_at timestamptz not null,
  mended_at timestamptz,
  mended int not null default 0,
  primary key (store_id, topic)
);

alter table store_connections
  -- We keep subscriptions there; otherwise somebody makes them by hand, or nobody.
  add column webhooks boolean not null default true,
  -- When the subscriptions were last compared with what they should be.
  add column checked_at timestamptz,
  -- When the store last delivered by itself.
  add column heard_at timestamptz,
  -- A secret of ours was added beside another, which ends once nothing is signed with it any more.
  add column rotating_since timestamptz;
