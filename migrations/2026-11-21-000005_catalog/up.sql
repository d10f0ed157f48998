create table sku_mappings (
  mapping_id bigint generated always as identity primary key,
  -- null: in all stores of the platform
  store_id int references stores,
  platform text not null,
  key_kind text not null check (key_kind in ('variant', 'sku', 'product')),
  key_value text not null check (key_value <> ''),
  sku_id text not null,
  name text not null default '',
  category text not null default '',
  commission_class text not null check (commission_class <> ''),
  effective_from timestamptz not null default '-infinity',
  -- null: by hand; otherwise the import it came with, so that an import can be undone
  import_id uuid,
  recorded_at timestamptz not null,
  recorded_by text not null
);
create index sku_mappings_key on sku_mappings (platform, key_value);
comment on table sku_mappings is 'every version ever; the largest mapping_id of a key and effective_from is the one that holds';
select make_append_only('sku_mappings');

-- The seed's view of the mappings that hold now.
create view sku_mapping as
select distinct on (store_id, platform, key_kind, key_value)
  sku_id, platform, key_value as platform_sku, name, category, commission_class,
  key_kind, store_id, mapping_id, effective_from
from sku_mappings
where effective_from <= now()
order by store_id, platform, key_kind, key_value, effective_from desc, mapping_id desc;
