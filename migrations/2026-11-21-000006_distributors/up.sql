create table distributors (
  distributor_id text primary key check (distributor_id <> ''),
  -- current sponsor and status; their history is in distributor_versions
  sponsor_id text,
  status text not null check (status in ('prospect', 'active', 'suspended', 'terminated')),
  rank text,
  country text,
  tax_id text,
  name text,
  email text,
  created_at timestamptz not null
);
create index distributors_sponsor on distributors (sponsor_id);
comment on column distributors.created_at is 'enrolment';

create table distributor_versions (
  distributor_id text not null references distributors,
  version_no int not null,
  sponsor_id text,
  status text not null,
  rank text,
  effective_from timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (distributor_id, version_no)
);
comment on table distributor_versions is 'bi-temporal: effective_from is when it was true, recorded_at when we learned it';
select make_append_only('distributor_versions');

-- Names under which orders refer to a distributor, besides the distributor_id itself. Lower case.
create table distributor_codes (
  code text primary key check (code = lower(code) and code <> ''),
  distributor_id text not null references distributors,
  created_at timestamptz not null,
  created_by text not null
);
create index distributor_codes_distributor on distributor_codes (distributor_id);
