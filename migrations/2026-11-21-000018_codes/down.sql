alter table stores drop column storefront;
create table distributor_codes_before (
  code text primary key check (code = lower(code) and code <> ''),
  distributor_id text not null references distributors,
  created_at timestamptz not null,
  created_by text not null
);
insert into distributor_codes_before select code, distributor_id, recorded_at, recorded_by from distributor_codes;
drop view distributor_codes;
drop table distributor_code_versions;
alter table distributor_codes_before rename to distributor_codes;
create index distributor_codes_distributor on distributor_codes (distributor_id);
