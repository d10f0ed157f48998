-- A code names a distributor from an instant on, and may name another one later: an order keeps whom it named at
-- the order's own time, and a replay finds the same.
create table distributor_code_versions (
  code text not null check (code = lower(code) and code <> ''),
  version_no int not null,
  -- null: names nobody from then on
  distributor_id text references distributors,
  -- '-infinity': has always named him
  effective_from timestamptz not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (code, version_no)
);
create index distributor_code_versions_distributor on distributor_code_versions (distributor_id);
comment on table distributor_code_versions is 'lower case; of versions that begin together the last one holds';

insert into distributor_code_versions
select code, 1, distributor_id, '-infinity', created_at, created_by from distributor_codes;
select make_append_only('distributor_code_versions');

drop table distributor_codes;
-- Whom each code names now.
create view distributor_codes as
select code, distributor_id, effective_from, recorded_at, recorded_by
from (select distinct on (code) * from distributor_code_versions
      where effective_from <= now() order by code, effective_from desc, version_no desc) newest
where distributor_id is not null;

-- Where visitors of the store begin; referral links lead there.
alter table stores add column storefront text check (storefront ~ '^https?://');
