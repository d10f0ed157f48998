-- Append-only is a property of the table, not of our good manners: these triggers refuse every later change.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op
    using errcode = 'restrict_violation', hint = 'post a correction that names the old row instead';
end $$;

create function make_append_only(target regclass) returns void language plpgsql as $$
begin
  execute format('create trigger append_only_rows before update or delete on %s '
                 'for each row execute function refuse_change()', target);
  execute format('create trigger append_only_table before truncate on %s '
                 'for each statement execute function refuse_change()', target);
end $$;

-- One row per in-memory cache: whoever changes its tables raises the number in the same transaction.
create table cache_versions (
  name text primary key,
  version bigint not null default 1
);
insert into cache_versions (name) values ('stores'), ('catalog'), ('distributors'), ('plans'), ('tokens');
