-- Work that moves from room to room. A row is an event; it is claimed under a lease and deleted when done.
create table outbox (
  topic text not null,
  event_id uuid not null,
  key uuid not null,
  occurred_at timestamptz not null,
  attempts int not null default 0,
  lease_owner uuid,
  -- Until then a claimed row is somebody's, and a failed one waits for its next try.
  lease_until timestamptz,
  last_error text,
  parked_at timestamptz,
  primary key (topic, event_id)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
comment on column outbox.key is 'delivery_id or order_id, by topic';
