-- What the stores sell, as far as they told. A row is never taken away: what is sold no more has gone_at.
create table products (
  store_id int not null references stores,
  product_id text not null check (product_id <> ''),
  title text not null default '',
  -- the store's time of what is known here; null until the product itself was told
  updated_at timestamptz,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  gone_at timestamptz,
  primary key (store_id, product_id)
);

create table product_variants (
  store_id int not null,
  product_id text not null,
  -- empty: the product is its own only variant
  variant_id text not null,
  sku text,
  title text not null default '',
  stock numeric(20, 4),
  -- the store's id under which stock is told, where that is another one
  inventory_id text,
  updated_at timestamptz not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  gone_at timestamptz,
  primary key (store_id, product_id, variant_id),
  foreign key (store_id, product_id) references products
);
create index product_variants_sku on product_variants (sku) where sku is not null;
create index product_variants_inventory on product_variants (store_id, inventory_id) where inventory_id is not null;

-- What is available at one location. A variant's stock is their sum once any of them is newer than the variant.
create table stock_levels (
  store_id int not null references stores,
  inventory_id text not null,
  location_id text not null,
  available numeric(20, 4),
  updated_at timestamptz not null,
  primary key (store_id, inventory_id, location_id)
);

-- Every variant with its stock and the mapping that holds for it now, found as core::sku::Catalog finds it.
create view catalog_variants as
select v.store_id, s.slug as store, s.platform, v.product_id, v.variant_id, v.sku, p.title as product_title, v.title,
       case when l.newest > v.updated_at then l.available else v.stock end as stock,
       v.first_seen_at, v.last_seen_at, coalesce(v.gone_at, p.gone_at) as gone_at,
       m.mapping_id, m.sku_id, m.commission_class, m.name, m.category
from product_variants v
join products p using (store_id, product_id)
join stores s using (store_id)
left join lateral (
  select sum(available) as available, max(updated_at) as newest from stock_levels l
  where l.store_id = v.store_id and l.inventory_id = v.inventory_id) l on true
left join lateral (
  select m.* from sku_mappings m
  where m.platform = s.platform and m.effective_from <= now() and (m.store_id is null or m.store_id = v.store_id)
    and m.key_value in (v.variant_id, btrim(v.sku), v.product_id)
    and m.key_value = case m.key_kind when 'variant' then v.variant_id when 'sku' then btrim(v.sku) else v.product_id end
  order by m.store_id is null, array_position(array['variant', 'sku', 'product'], m.key_kind), m.effective_from desc,
           m.mapping_id desc
  limit 1) m on true;

-- Who bought, as far as commissions need to know: no names, no addresses.
create table customers (
  store_id int not null references stores,
  customer_id text not null check (customer_id <> ''),
  created_at timestamptz,
  -- the store's time of what is known here; null until the customer's own record was told
  updated_at timestamptz,
  places jsonb not null default '[]',
  first_seen_at timestamptz not null,
  gone_at timestamptz,
  redacted_at timestamptz,
  primary key (store_id, customer_id)
);
comment on column customers.places is 'core::order::PlaceValue: where the customer''s record names a distributor';

-- What people and customer records say of customers. What their orders say is read from the orders themselves.
create table customer_bindings (
  store_id int not null,
  customer_id text not null,
  binding_no int not null,
  -- is: the customer is this distributor; bound: the customer's orders earn for this distributor
  kind text not null check (kind in ('is', 'bound')),
  -- null: nobody from then on
  distributor_id text,
  effective_from timestamptz not null,
  source text not null check (source in ('record', 'manual', 'import')),
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (store_id, customer_id, binding_no),
  foreign key (store_id, customer_id) references customers
);
comment on table customer_bindings is 'bi-temporal: effective_from is since when it is true, recorded_at when we learned it';
create index customer_bindings_distributor on customer_bindings (distributor_id) where distributor_id is not null;
select make_append_only('customer_bindings');

-- How long the first order that names a distributor binds its customer.
create table store_bindings (
  store_id int not null references stores,
  policy_no int not null,
  -- null: for life; 0: not at all
  days int check (days >= 0),
  -- places of a customer's record: its own code as a distributor, the code of whom it is bound to
  own_place text,
  bound_place text,
  effective_from timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (store_id, policy_no)
);
select make_append_only('store_bindings');

-- binds_to: whom the order itself names, without asking whom its customer is bound to; null where it binds nobody.
-- policy_no, binding_no: what was known of the policy and the customer when the order was assessed; once it is
-- calculated they stay, so a later decision does not reach it by itself.
alter table orders add column binds_to text;
alter table orders add column policy_no int not null default 0;
alter table orders add column binding_no int not null default 0;
update orders set binds_to = distributor_id
where distributor_id is not null and place <> 'customer' and not own
  and not exemptions && array['test', 'cancelled', 'deleted', 'voided', 'unpaid'];
create index orders_customer on orders (store_id, customer_id) where customer_id is not null;
insert into customers (store_id, customer_id, first_seen_at)
select store_id, customer_id, min(received_at) from orders where customer_id is not null group by 1, 2;

-- Deliveries that are about a customer and no order.
create table customer_deliveries (
  store_id int not null,
  customer_id text not null,
  delivery_id uuid not null,
  primary key (store_id, customer_id, delivery_id)
);

create table privacy_requests (
  request_id uuid primary key,
  store_id int not null references stores,
  kind text not null check (kind in ('data_request', 'redact', 'shop_redact')),
  customer_id text,
  -- the store's ids of orders that the request names
  orders text[] not null default '{}',
  delivery_id uuid not null,
  received_at timestamptz not null,
  due_at timestamptz not null,
  handled_at timestamptz,
  handled_by text,
  detail text,
  constraint privacy_requests_delivery unique (delivery_id)
);

-- Personal data leaves a delivery, its evidence stays: ids, times and the hash of what was on the wire.
alter table deliveries add column redacted_at timestamptz;
alter table deliveries add column redacted_sha256 bytea;
comment on column deliveries.redacted_sha256 is 'of the body that took the place of the one on the wire';

create table delivery_redactions (
  delivery_id uuid not null,
  redaction_no int not null,
  redacted_sha256 bytea not null,
  redacted_at timestamptz not null,
  redacted_by text not null,
  reason text not null,
  primary key (delivery_id, redaction_no)
);
select make_append_only('delivery_redactions');

-- Only redact_delivery() gets past, and only with everything but the body as it was.
create function refuse_delivery_change() returns trigger language plpgsql as $$
declare
  stack text;
  before jsonb;
  after jsonb;
begin
  get diagnostics stack = pg_context;
  if tg_op = 'UPDATE' and stack ~ 'function redact_delivery\(uuid,bytea,integer,bytea,timestamp with time zone,text,text\)' then
    before := to_jsonb(old) - array['body', 'body_bytes', 'redacted_at', 'redacted_sha256'];
    after := to_jsonb(new) - array['body', 'body_bytes', 'redacted_at', 'redacted_sha256'];
    -- The stack is text that a caller could write into a statement; the record of the redaction is not.
    if before = after and exists (
         select from delivery_redactions r
         where r.delivery_id = new.delivery_id and r.redacted_at = new.redacted_at
           and r.redacted_sha256 = new.redacted_sha256) then
      return new;
    end if;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, tg_op
    using errcode = 'restrict_violation', hint = 'redact_delivery() alone may take personal data out of a body';
end $$;

drop trigger append_only_rows on deliveries;
create trigger append_only_rows before update or delete on deliveries
  for each row execute function refuse_delivery_change();

-- `redacted` is LZ4 with its size in front, as every body.
create function redact_delivery(delivery uuid, redacted bytea, redacted_bytes int, redacted_hash bytea,
                                at timestamptz, by_whom text, why text)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into delivery_redactions (delivery_id, redaction_no, redacted_sha256, redacted_at, redacted_by, reason)
  select delivery, 1 + count(*), redacted_hash, at, by_whom, why from delivery_redactions where delivery_id = delivery;
  update deliveries set body = redacted, body_bytes = redacted_bytes, redacted_at = at, redacted_sha256 = redacted_hash
  where delivery_id = delivery;
  if not found then
    raise exception 'there is no delivery %', delivery;
  end if;
end $$;
revoke execute on function redact_delivery(uuid, bytea, int, bytea, timestamptz, text, text) from public;
