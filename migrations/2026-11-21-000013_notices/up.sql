-- What a person should know although nobody asked. One open row for each key.
create table notices (
  notice_id uuid primary key,
  -- What it is about: 'store-silent:main', 'day-not-ok:main:2026-11-20'.
  key text not null,
  severity text not null check (severity in ('info', 'warning', 'alarm')),
  subject text not null,
  body text not null,
  store_id int references stores,
  raised_at timestamptz not null,
  last_raised_at timestamptz not null,
  times int not null default 1,
  resolved_at timestamptz
);
create unique index notices_open on notices (key) where resolved_at is null;
create index notices_raised on notices (raised_at desc);

-- What went where. At least once: a process that dies between sending and writing it down sends again.
create table notice_sends (
  notice_id uuid not null references notices,
  channel text not null check (channel in ('webhook', 'mail')),
  event text not null check (event in ('raised', 'resolved')),
  attempts int not null,
  next_try_at timestamptz not null,
  last_error text,
  sent_at timestamptz,
  primary key (notice_id, channel, event)
);
