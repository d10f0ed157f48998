alter table orders drop column own;
drop table run_lots, run_standings, run_pools, run_cuts, run_awards, runs, period_changes, periods, volume_facts;
