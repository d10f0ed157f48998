comment on column distributors.tax_id is null;
drop index distributors_clear_tax_id;
drop table payee_tax_versions;
drop table payee_versions;
drop function refuse_payee_change();
drop table payee_keys;
