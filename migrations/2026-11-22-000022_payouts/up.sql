-- Two roles of finance beside the others: who prepares payouts, and who approves them.
alter table users drop constraint users_role_check;
alter table users add constraint users_role_check
  check (role in ('viewer', 'finance-prepare', 'finance-approve', 'operator', 'admin'));

create table payout_batches (
  batch_id uuid primary key,
  -- dense, for people
  batch_no int not null unique,
  rail text not null check (rail in ('nacha', 'sepa', 'paypal', 'wise', 'csv')),
  currency char(3) not null,
  status text not null default 'prepared'
    check (status in ('prepared', 'cancelled', 'approved', 'exported', 'sent')),
  -- what the payee reads
  purpose text not null,
  -- core::payout::choice::Terms as they were: minimum, fee, limits, whose account is debited
  terms jsonb not null,
  withholding numeric(5, 4) not null check (withholding between 0 and 1),
  -- core::payout::choice::LeftOut: who has a balance and is not paid, and why
  left_out jsonb not null,
  -- journal entries of this batch so far
  entries int not null default 0,
  created_by text not null,
  created_at timestamptz not null,
  approved_by text,
  approved_at timestamptz,
  -- of what was approved: every item with its money and the version of its bank details
  approved_digest bytea,
  value_date date,
  exported_by text,
  exported_at timestamptz,
  -- of the bytes that left first; all later ones have to be the same
  file_name text,
  file_sha256 bytea,
  sent_by text,
  sent_at timestamptz,
  constraint payout_batches_two_people check (approved_by is null or lower(approved_by) <> lower(created_by)),
  check (status in ('prepared', 'cancelled') or (approved_by is not null and approved_at is not null
         and approved_digest is not null and value_date is not null)),
  check (status in ('prepared', 'cancelled', 'approved') or (file_sha256 is not null and file_name is not null
         and exported_by is not null and exported_at is not null)),
  check (status <> 'sent' or (sent_by is not null and sent_at is not null))
);

create table payout_items (
  -- its end-to-end reference
  item_id uuid primary key,
  -- dense over all batches
  item_no bigint not null unique,
  batch_id uuid not null references payout_batches,
  distributor_id text not null references distributors,
  currency char(3) not null,
  -- what left the balance
  gross numeric(20, 4) not null check (gross > 0 and gross <> 'NaN'),
  fee numeric(20, 4) not null check (fee >= 0),
  withheld numeric(20, 4) not null check (withheld >= 0),
  -- what the payee gets
  net numeric(20, 4) not null check (net > 0),
  -- of the bank details
  payee_version int not null,
  masked text not null,
  -- compared with this distributor's payout before it
  payee_news text not null check (payee_news in ('same', 'first', 'changed')),
  status text not null default 'prepared' check (status in
    ('prepared', 'cancelled', 'approved', 'exported', 'sent', 'confirmed', 'returned', 'unknown')),
  -- what the bank said last
  code text,
  reason text,
  changed_at timestamptz not null,
  constraint payout_items_close check (fee + withheld + net = gross)
);
create index payout_items_batch on payout_items (batch_id, item_no);
create index payout_items_distributor on payout_items (distributor_id, item_no);
-- Nobody has two payouts of one currency on their way.
create unique index payout_items_live on payout_items (distributor_id, currency)
  where status in ('prepared', 'approved', 'exported', 'sent', 'unknown');

-- The money of an item never changes, and its status only along the arrows of core::payout::ItemStatus.
create function payout_item_arrow() returns trigger language plpgsql as $$
begin
  if (new.item_id, new.item_no, new.batch_id, new.distributor_id, new.currency, new.gross, new.fee, new.withheld,
      new.net, new.payee_version) is distinct from
     (old.item_id, old.item_no, old.batch_id, old.distributor_id, old.currency, old.gross, old.fee, old.withheld,
      old.net, old.payee_version) then
    raise exception 'the money of payout item % does not change', old.item_no using errcode = 'restrict_violation';
  end if;
  if new.status <> old.status and not (new.status = any (case old.status
      when 'prepared' then array['approved', 'cancelled']
      when 'approved' then array['exported', 'cancelled']
      when 'exported' then array['sent', 'confirmed', 'returned', 'unknown']
      when 'sent' then array['confirmed', 'returned', 'unknown']
      when 'unknown' then array['sent', 'confirmed', 'returned']
      when 'confirmed' then array['returned']
      else array[]::text[] end)) then
    raise exception 'payout item % cannot go from % to %', old.item_no, old.status, new.status
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger payout_items_arrow before update on payout_items
  for each row execute function payout_item_arrow();
create trigger payout_items_stay before delete on payout_items
  for each row execute function refuse_change();
create trigger payout_items_not_emptied before truncate on payout_items
  for each statement execute function refuse_change();

-- What was done to a batch and to its items.
create table payout_changes (
  batch_id uuid not null references payout_batches,
  change_no int not null,
  -- null: of the whole batch
  item_id uuid references payout_items,
  change text not null,
  detail jsonb not null default '{}',
  changed_by text not null,
  changed_at timestamptz not null,
  primary key (batch_id, change_no)
);
create index payout_changes_item on payout_changes (item_id) where item_id is not null;
select make_append_only('payout_changes');

-- Files of banks, each once, by their bytes.
create table payout_bank_files (
  file_sha256 bytea primary key,
  format text not null,
  message_id text not null,
  received_by text not null,
  received_at timestamptz not null
);
select make_append_only('payout_bank_files');

create table payout_answers (
  answer_id uuid primary key,
  file_sha256 bytea not null references payout_bank_files,
  answer_no int not null,
  -- core::payout::Answer
  answer jsonb not null,
  item_id uuid references payout_items,
  -- taken: the item has gone on; known: nothing was news; person: somebody has to look
  verdict text not null check (verdict in ('taken', 'known', 'person')),
  why text not null default '',
  settled_by text,
  settled_at timestamptz,
  note text,
  unique (file_sha256, answer_no),
  check ((settled_by is null) = (settled_at is null))
);
create index payout_answers_open on payout_answers (answer_id) where verdict = 'person' and settled_at is null;
create index payout_answers_item on payout_answers (item_id) where item_id is not null;
