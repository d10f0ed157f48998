-- Places in the binary or the matrix. Most distributors own one position, which has their own id.
create table placement_versions (
  position_id text not null check (position_id <> ''),
  version_no int not null,
  distributor_id text not null references distributors,
  -- null at the top
  parent_id text,
  -- place under the parent, from 0: left and right of a binary are 0 and 1
  side smallint not null check (side >= 0),
  effective_from timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (position_id, version_no)
);
comment on table placement_versions is 'bi-temporal, as distributor_versions';
create index placement_versions_distributor on placement_versions (distributor_id);
select make_append_only('placement_versions');
insert into cache_versions (name) values ('placement');
