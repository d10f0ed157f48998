drop view account_sums;
drop function tail_entries();
drop table verifications, chain_heads, balances, chain_state, chain;
alter table audit_log drop column txid;
alter table journal_entries drop column txid;
