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
create index placement_versions_recorded_at on placement_versions (recorded_at);
select make_append_only('placement_versions');
insert into cache_versions (name) values ('placement');

-- A context that an order is calculated with from now on, instead of the one that its calculation was made with: a
-- move of the sponsor tree reached it. It holds until a later calculation is stored, which has it within.
create table order_contexts (
  order_id uuid not null references orders,
  context_no int not null,
  -- the calculation whose context it takes the place of
  calculation_no int not null,
  -- commissions::Context
  context jsonb not null,
  decided_by text not null,
  decided_at timestamptz not null,
  primary key (order_id, context_no)
);
comment on table order_contexts is 'the largest context_no of an order counts, if it names the order''s latest calculation';
select make_append_only('order_contexts');
