drop function redact_delivery(uuid, bytea, int, bytea, timestamptz, text, text);
drop trigger append_only_rows on deliveries;
create trigger append_only_rows before update or delete on deliveries
  for each row execute function refuse_change();
drop function refuse_delivery_change();
drop table delivery_redactions;
alter table deliveries drop column redacted_sha256, drop column redacted_at;
drop table privacy_requests, customer_deliveries;
drop index orders_customer;
alter table orders drop column binding_no, drop column policy_no, drop column binds_to;
drop view catalog_variants;
drop table store_bindings, customer_bindings, customers, stock_levels, product_variants, products;
