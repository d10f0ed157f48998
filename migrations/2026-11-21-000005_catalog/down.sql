drop view sku_mapping;
drop table sku_mappings;
