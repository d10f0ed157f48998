-- A database that was set back to an earlier time: what left since is not known here, so nothing may leave again
-- before somebody has looked. One without an end is going on.
create table recoveries (
  recovery_no int generated always as identity primary key,
  began_at timestamptz not null,
  began_by text not null,
  -- the time that the database was set back to
  back_to timestamptz not null,
  reason text not null,
  ended_at timestamptz,
  ended_by text,
  note text
);
create unique index recoveries_one on recoveries ((true)) where ended_at is null;
