drop table payout_answers;
drop table payout_bank_files;
drop table payout_changes;
drop table payout_items;
drop function payout_item_arrow();
drop table payout_batches;
update users set role = 'viewer' where role in ('finance-prepare', 'finance-approve');
alter table users drop constraint users_role_check;
alter table users add constraint users_role_check check (role in ('viewer', 'operator', 'admin'));
