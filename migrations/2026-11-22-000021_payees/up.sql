-- One key for each person, sealed by the key of the data directory. Without it nothing of the person can be opened:
-- forgetting is deleting the row. Keys are no part of any export.
create table payee_keys (
  distributor_id text primary key references distributors,
  -- a person who comes back gets another key: what was sealed with the one before stays closed
  key_no int not null check (key_no > 0),
  sealed_key bytea not null,
  -- fingerprint of the key that sealed it
  sealed_under text not null,
  created_at timestamptz not null
);
comment on column payee_keys.sealed_key is 'ChaCha20-Poly1305 under the key of the data directory, bound to distributor and key_no';

-- Where a person is paid, each change a row.
create table payee_versions (
  distributor_id text not null references distributors,
  version_no int not null check (version_no > 0),
  key_no int not null,
  rail text not null check (rail in ('nacha', 'sepa', 'paypal', 'wise', 'csv')),
  currency char(3) not null,
  sealed bytea not null,
  masked text not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  -- until then nothing is paid, unless somebody else releases it; null: nothing to wait for
  held_until timestamptz,
  released_at timestamptz,
  released_by text,
  primary key (distributor_id, version_no),
  constraint payee_versions_release_whole check ((released_at is null) = (released_by is null)),
  constraint payee_versions_second_person check (released_by is null or released_by <> recorded_by)
);
comment on column payee_versions.sealed is 'core::payee::Payee under the person''s key, bound to distributor, version, rail and currency; empty once forgotten';
create index payee_versions_held on payee_versions (held_until) where held_until is not null and released_at is null;

-- What the tax office has to know, each change a row.
create table payee_tax_versions (
  distributor_id text not null references distributors,
  version_no int not null check (version_no > 0),
  key_no int not null,
  kind text not null check (kind in ('unknown', 'ssn', 'ein', 'itin', 'vat', 'foreign')),
  status text not null check (status in ('none', 'requested', 'w9', 'w8', 'mismatch')),
  sealed bytea not null,
  -- empty: there is no number
  masked text not null,
  recorded_at timestamptz not null,
  recorded_by text not null,
  primary key (distributor_id, version_no)
);
comment on column payee_tax_versions.status is 'w9, w8: signed; mismatch: the tax office says that name and number do not belong together';

-- Both tables only grow. Two changes alone get past: the release of a held change, once, and emptying what nobody can
-- open any more.
create function refuse_payee_change() returns trigger language plpgsql as $$
declare
  before jsonb;
  after jsonb;
begin
  if tg_op = 'UPDATE' then
    before := to_jsonb(old);
    after := to_jsonb(new);
    if before ->> 'released_at' is null and after ->> 'released_at' is not null
       and before - array['released_at', 'released_by'] = after - array['released_at', 'released_by'] then
      return new;
    end if;
    if new.sealed = '' and new.masked = '' and before - array['sealed', 'masked'] = after - array['sealed', 'masked']
       and not exists (select from payee_keys k where k.distributor_id = new.distributor_id and k.key_no = new.key_no) then
      return new;
    end if;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, tg_op
    using errcode = 'restrict_violation', hint = 'record another version';
end $$;

create trigger append_only_rows before update or delete on payee_versions
  for each row execute function refuse_payee_change();
create trigger append_only_table before truncate on payee_versions
  for each statement execute function refuse_payee_change();
create trigger append_only_rows before update or delete on payee_tax_versions
  for each row execute function refuse_payee_change();
create trigger append_only_table before truncate on payee_tax_versions
  for each statement execute function refuse_payee_change();

-- Numbers that were imported before there was a place for them; the program seals them at its next start and leaves
-- null behind.
comment on column distributors.tax_id is 'no longer used: payee_tax_versions has it sealed';
create index distributors_clear_tax_id on distributors (distributor_id) where tax_id is not null;
