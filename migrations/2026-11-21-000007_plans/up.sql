create table plans (
  plan_hash bytea primary key,
  name text not null,
  -- as written, and as hashed
  document text not null,
  canonical text not null,
  created_at timestamptz not null,
  created_by text not null
);
select make_append_only('plans');

create table plan_publications (
  publication_no int generated always as identity primary key,
  plan_hash bytea not null references plans,
  effective_from timestamptz not null,
  published_at timestamptz not null,
  published_by text not null
);
comment on table plan_publications is 'the plan at an instant: greatest effective_from not after it, then greatest publication_no';
select make_append_only('plan_publications');
