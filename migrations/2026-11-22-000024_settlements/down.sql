drop index postings_debts;
drop table adjustments;
drop function guard_adjustment();
drop table exchange_rates;
drop table settlement_cursors;
drop table holdbacks;
drop table market_policies;
